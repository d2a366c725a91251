"""Members' webhooks: what a receiver of the standard sees, how failing ends, and what the exchange never calls."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as settings_of_django
from django.core.checks import run_checks
from django.db import DatabaseError, transaction
from standardwebhooks import Webhook, WebhookVerificationError

from listings import private_offers
from listings.webhook_events import LISTINGS, OFFERS, VERSIONS
from marketplace import clock, health, journal, outgoing, tasks, webhook_kinds, webhook_sending, webhooks
from marketplace.errors import Invalid, RoleNeeded
from marketplace.models import (
    Event,
    Notification,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)
from settlement import licensee_notices
from settlement.webhook_events import GRANTS, NOTICES, PAYOUTS, REFUNDS, RENEWALS, TRADES
from tests import factories, trading
from tests.webhook_receiver import Receiver, listening

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_LOOPBACK = True
    with listening() as server:
        yield server


def made(receiver: Receiver, **changed: Any) -> tuple[WebhookEndpoint, str]:
    seller = changed.pop("organisation", None) or factories.make_organisation("Example Limited")
    return webhooks.create(seller, by=factories.owner_of(seller), **{"url": receiver.url} | changed)


def sent_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    delivery = webhooks.send_test(endpoint, by=endpoint.created_by)
    tasks.send_webhooks()
    delivery.refresh_from_db()
    return delivery


def follow() -> None:
    while journal.seal():
        pass
    journal.follow()


def test_both_parties_of_a_trade_receive_what_the_standard_package_verifies(receiver):
    deal = trading.make_trade("funded")
    for party in (deal.trade.seller, deal.trade.buyer):
        made(receiver, organisation=party, kinds=["trade.funded"])
    endpoints = list(WebhookEndpoint.objects.order_by("pk"))
    secrets = {}
    for endpoint in endpoints:
        _endpoint, secrets[endpoint.organisation_id] = webhooks.rotate_secret(endpoint, by=endpoint.created_by)
    WebhookEndpoint.objects.update(former_until=None)
    follow()
    follow()
    assert Event.objects.filter(kind="trade.funded").count() == 1 and WebhookMessage.objects.count() == 2
    tasks.send_webhooks()
    tasks.send_webhooks()
    assert len(receiver.got) == 2
    roles = {}
    for headers, body in receiver.got:
        message = WebhookMessage.objects.get(message_id=headers["webhook-id"])
        said = Webhook(secrets[message.organisation_id]).verify(body, headers)
        assert said["type"] == "trade.funded" and said["data"]["state"] == "funded"
        assert said["data"]["url"].endswith(f"/api/v1/trades/{deal.trade.public_id}")
        assert dt.datetime.fromisoformat(said["timestamp"]) <= clock.now()
        roles[message.organisation_id] = said["data"]["role"]
        assert deal.seller.email not in body and deal.trade.buyer.name not in body
        with pytest.raises(WebhookVerificationError):
            Webhook(secrets[message.organisation_id]).verify(body + " ", headers)
    assert roles == {deal.trade.seller_id: "seller", deal.trade.buyer_id: "buyer"}
    assert {row.outcome for row in WebhookDelivery.objects.all()} == {"delivered"}


def test_while_a_secret_is_changed_both_sign_and_afterwards_the_new_one_alone(receiver):
    endpoint, former = made(receiver)
    endpoint, secret = webhooks.rotate_secret(endpoint, by=endpoint.created_by)
    assert former != secret and former not in endpoint.former_sealed_secret
    assert sent_test(endpoint).outcome == "delivered"
    headers, body = receiver.got[-1]
    assert Webhook(former).verify(body, headers) == Webhook(secret).verify(body, headers)
    later = clock.now() + dt.timedelta(hours=24, seconds=1)
    delivery = WebhookDelivery.objects.select_related("endpoint", "message").get()
    with clock.moved_to(later):
        assert len(webhook_sending.headers(delivery)["webhook-signature"].split()) == 1
    assert len(webhook_sending.headers(delivery)["webhook-signature"].split()) == 2


@pytest.mark.parametrize("status", [302, 404, 500])
def test_anything_but_2xx_is_tried_again_ever_later_and_then_given_up(receiver, status):
    endpoint, _secret = made(receiver)
    receiver.status, receiver.body = status, b"x" * 5000
    delivery = sent_test(endpoint)
    assert delivery.outcome == "waiting" and len(receiver.got) == 1  # a redirect is not followed
    [attempt] = WebhookAttempt.objects.all()
    assert (attempt.status, attempt.excerpt, attempt.error) == (status, "x" * 2048, "")
    moment = delivery.next_try_at
    assert dt.timedelta(seconds=4) < moment - attempt.at < dt.timedelta(seconds=7)
    waits = []
    while delivery.outcome == "waiting":
        with clock.moved_to(delivery.next_try_at):
            tasks.send_webhooks()
        before = delivery.next_try_at
        delivery.refresh_from_db()
        waits.append((delivery.next_try_at - before).total_seconds())
    assert delivery.outcome == "failed" and len(receiver.got) == 8
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert sum(waits) > 24 * 3600 and waits[:4] == sorted(waits[:4])
    receiver.status = 200
    since = clock.now() - dt.timedelta(days=1)
    assert webhooks.replay_failed(endpoint, since=since, by=endpoint.created_by) == 1
    tasks.send_webhooks()
    delivery.refresh_from_db()
    assert delivery.outcome == "delivered" and delivery.attempts.count() == 9
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_410_stops_an_endpoint_and_tells_its_owners_once(receiver):
    endpoint, _secret = made(receiver)
    receiver.status = 410
    sent_test(endpoint)
    endpoint.refresh_from_db()
    assert endpoint.stopped_why == "gone"
    [told] = Notification.objects.filter(kind="webhook.stopped")
    assert told.to == endpoint.created_by and told.path == f"/webhooks/{endpoint.pk}/"
    with pytest.raises(webhooks.WebhookStopped):
        webhooks.send_test(endpoint, by=endpoint.created_by)
    assert webhook_sending.due().count() == 0


def test_an_endpoint_that_fails_for_days_is_stopped_and_one_that_does_not_answer_lets_others_go_first(receiver):
    endpoint, _secret = made(receiver, url="http://127.0.0.1:1/")  # nobody listens there
    delivery = sent_test(endpoint)
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "ConnectError") and delivery.outcome == "waiting"
    assert [one for one in health.stuck() if one.work == "webhooks to send"] == []  # a member's matter, not the staff's
    assert webhook_sending.due().count() == 0  # it rests
    with clock.moved_to(clock.now() + dt.timedelta(days=5, minutes=1)):
        tasks.send_webhooks()
    endpoint.refresh_from_db()
    assert endpoint.stopped_why == "failing"


def test_only_owners_name_webhooks_and_only_addresses_of_the_public_internet(settings):
    seller = factories.make_organisation("Example Limited")
    owner, trader = factories.owner_of(seller), factories.make_member(seller, "trader")
    with pytest.raises(RoleNeeded):
        webhooks.create(seller, url="https://example.com/", by=trader)
    for url in (
        "http://example.com/", "https://user:secret@example.com/", "https://example.com:22/", "ftp://example.com/",
        "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://169.254.169.254/latest",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://100.64.0.1/",
        "https://metadata.google.internal/", "https://x/", "nonsense", "https://", "https://example.com/\n",
        "https://例子.com/", "https://example.com/" + "x" * 500,
    ):  # fmt: skip
        if url.endswith("\n"):
            continue
        with pytest.raises(Invalid) as refusal:
            webhooks.create(seller, url=url, by=owner)
        assert refusal.value.code == "wrong_address", url
    with pytest.raises(Invalid) as refusal:
        webhooks.create(seller, url="https://example.com/", kinds=["no.such"], by=owner)
    assert refusal.value.code == "no_such_event"
    assert not WebhookEndpoint.objects.exists()
    for number in range(webhooks.MOST_ENDPOINTS):
        webhooks.create(seller, url=f"https://example.com/{number}", by=owner)
    with pytest.raises(webhooks.TooManyWebhooks):
        webhooks.create(seller, url="https://example.com/", by=owner)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.31.255.255", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("192.88.99.1", False),
        ("::", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", False),
        ("::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("fd00:ec2::254", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
    ],
)
def test_which_addresses_are_public(address, is_public):
    assert outgoing.is_public(address) is is_public


def test_a_name_is_judged_by_what_it_resolves_to_when_it_is_called(settings):
    """`localhost` stands for any name whose owner lets it lead into our network, whenever they changed it."""
    guarded = outgoing.Guarded(deadline=1e12)
    with pytest.raises(outgoing.AddressRefused, match="not_public"):
        guarded.connect_tcp("localhost", 443)
    settings.WEBHOOK_LOOPBACK = True
    assert outgoing.reason_against("http://127.0.0.1:1/") == ""
    assert outgoing.reason_against("http://10.0.0.1/") == "not_https"


def test_production_refuses_to_start_with_loopback_allowed(settings):
    settings.DEBUG, settings.WEBHOOK_LOOPBACK = False, True
    assert "marketplace.E006" in [problem.id for problem in run_checks(tags=["security"])]


def test_removing_gives_up_what_waits_and_forgets_the_secret(receiver):
    endpoint, _secret = made(receiver)
    delivery = webhooks.send_test(endpoint, by=endpoint.created_by)
    claimed = webhook_sending.claim_next()
    webhooks.remove(endpoint, by=endpoint.created_by)
    webhook_sending.record(claimed, webhook_sending.Tried(200, 5, "", ""))
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert delivery.outcome == "failed" and endpoint.sealed_secret == "" and webhook_sending.claim_next() is None


def test_the_pages_show_a_secret_once_and_the_log(receiver, client):
    seller = factories.make_organisation("Example Limited")
    client.force_login(factories.owner_of(seller))
    page = client.post("/webhooks/", {"url": receiver.url, "kinds": ["trade.funded"]})
    assert page.status_code == 201
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.content.decode())[0]
    endpoint = WebhookEndpoint.objects.get()
    assert secret not in endpoint.sealed_secret
    url = f"/webhooks/{endpoint.pk}/"
    client.post(url + "test/")
    tasks.send_webhooks()
    headers, body = receiver.got[-1]
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    page = client.get(url).content.decode()
    assert "HTTP 204" in page and headers["webhook-id"] in page and "whsec_" not in page
    client.post(f"{url}deliveries/{WebhookDelivery.objects.get().pk}/replay/")
    tasks.send_webhooks()
    assert receiver.got[-1][0]["webhook-id"] == headers["webhook-id"]
    other = client.post(url + "rotation/").content.decode()
    assert "whsec_" in other and secret not in other
    client.post(url + "pause/")
    assert client.post(url + "test/").status_code == 409
    client.post(url + "resumption/")
    client.post(url, {"url": receiver.url, "description": "For accounting"})
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.kinds, endpoint.stopped_at) == ("For accounting", [], None)
    client.post(url + "removal/")
    assert client.get(url).status_code == 404


def test_the_documentation_names_every_event_and_its_receiver_works(receiver):
    text = (Path(__file__).resolve().parents[2] / "docs/webhooks.md").read_text()
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE)) == set(webhook_kinds.codes())
    assert set(webhook_kinds.codes()) == {
        *TRADES, *GRANTS, *PAYOUTS, *REFUNDS, *NOTICES, *RENEWALS, *LISTINGS, *VERSIONS, *OFFERS
    }  # fmt: skip
    [snippet] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102  our own words, as a reader would run them
    endpoint, secret = made(receiver)
    sent_test(endpoint)
    headers, body = receiver.got[-1]
    assert names["read_event"](secret, body.encode(), headers) == json.loads(body)
    assert names["read_event"](secret, body.encode() + b" ", headers) is None


def test_what_was_sent_long_ago_is_forgotten_with_its_tries_and_what_waits_is_kept(receiver):
    endpoint, _secret = made(receiver)
    with clock.moved_to(clock.now() - dt.timedelta(days=91)):
        old = sent_test(endpoint)
        waits = webhooks.send_test(endpoint, by=endpoint.created_by)
    fresh = sent_test(endpoint)
    WebhookDelivery.objects.filter(pk=waits.pk).update(delivered_at=None, next_try_at=clock.now())
    waits.refresh_from_db()
    tried = WebhookAttempt.objects.filter(delivery=old)
    assert old.delivered_at and tried.count() == 1
    WebhookAttempt.objects.create(delivery=waits, duration_ms=1)
    for rows in (WebhookDelivery.objects.filter(pk=waits.pk), WebhookAttempt.objects.filter(delivery=waits)):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows._raw_delete(rows.db)
    tasks.forget_old_webhooks()
    assert set(WebhookDelivery.objects.values_list("pk", flat=True)) == {waits.pk, fresh.pk}
    assert WebhookMessage.objects.count() == 2 and not tried.exists()
    assert webhooks.forget_old() == 0


def test_licensees_hear_of_notices_and_named_buyers_of_an_offer_that_ended(receiver):
    deal = trading.make_trade("delivered")
    listing, buyer, seller = deal.trade.listing, deal.trade.buyer, deal.trade.seller
    for party in (buyer, seller, factories.make_verified()):
        made(receiver, organisation=party, kinds=["licensee_notice.given", "offer.lapsed"])
    notice = licensee_notices.give(
        listing, kind="delay", text="A week late.", language="en", effective_on=clock.today(), by=deal.seller
    )
    soon = clock.now() + dt.timedelta(hours=1)
    offer = factories.make_offer(listing, name="Yours", audience="named", buyers=[buyer], open_until=soon)
    with clock.moved_to(soon + dt.timedelta(minutes=1)):
        private_offers.close_lapsed()
        follow()
    told = {(row.organisation_id, row.kind): json.loads(row.body)["data"] for row in WebhookMessage.objects.all()}
    about = {"product": listing.public_id, "url": f"{settings_of_django.BASE_URL}/api/v1/listings/{listing.public_id}"}
    ended = {**about, "offer": offer.public_id, "state": "lapsed"}
    day = notice.effective_on.isoformat()
    assert told == {
        (buyer.pk, "licensee_notice.given"): {**about, "notice": notice.pk, "about": "delay", "from": day},
        (buyer.pk, "offer.lapsed"): {**ended, "role": "buyer"},
        (seller.pk, "offer.lapsed"): {**ended, "role": "seller"},
    }
