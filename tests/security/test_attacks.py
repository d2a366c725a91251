"""Attacks that once went through, each as it was made."""

import base64
import datetime as dt
import io
import uuid

import pytest
from django.contrib.auth import hashers
from django.test import Client
from django.utils import timezone

from listings import publishing, uploads
from marketplace import paper_checks, participants, tokens
from marketplace.errors import Invalid, TooLarge
from marketplace.models import AccessToken, Invitation, Paper
from marketplace.participants import INVITATIONS_A_DAY, TooManyInvitations
from marketplace.roles import Role
from settlement import payments, payout_accounts, payouts, trades
from settlement.gateways import BadNotice, sandbox_signature
from settlement.models import Notice, Payout, Refund
from tests import factories, trading

pytestmark = pytest.mark.django_db


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def post(client, path, body=None, **headers):
    headers = {"Idempotency-Key": uuid.uuid4().hex, **headers}
    return client.post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)


def bearer(person, *scopes, organisation=None, lapses_at=None):
    _token, secret = tokens.create_token(
        user=person, organisation=organisation, name="script", scopes=scopes, lapses_at=lapses_at, by=person
    )
    return {"Authorization": f"Bearer {secret}"}


# --- the staff's records -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "user/?password__startswith=pbkdf2",
        "user/?password__regex=^p",
        "accesstoken/?digest__startswith=sha256",
        "invitation/?secret_digest__startswith=sha256",
        "paper/?check_code__gt=0",
        "keyedcommand/?answer__icontains=x",
        "membership/?user__password__startswith=p",
    ],
)
def test_a_record_is_not_read_out_letter_by_letter_through_its_filters(address):
    client = signed_in(factories.make_staff("support"))
    assert client.get(f"/admin/marketplace/{address}").status_code == 400


def test_the_filters_that_a_list_offers_still_work():
    client = signed_in(factories.make_staff("support"))
    assert client.get("/admin/marketplace/user/?is_staff__exact=1").status_code == 200
    assert client.get("/admin/settlement/trade/?state__exact=settled&currency=HKD").status_code == 200


# --- scripts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", ["abc", "2026-11-21", "1 OR 1=1", "9" * 40, "²"])
def test_a_forged_cursor_is_no_page(position):
    organisation = factories.make_organisation()
    cursor = base64.b64encode(f"p={position}".encode()).decode()
    answer = signed_in(factories.owner_of(organisation)).get("/api/v1/trades", {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("later", [None, dt.timedelta(days=2)])
def test_a_key_that_lapses_makes_none_that_outlives_it(later):
    organisation = factories.make_organisation()
    tomorrow = timezone.now() + dt.timedelta(days=1)
    key = bearer(factories.owner_of(organisation), "read", "manage", organisation=organisation, lapses_at=tomorrow)
    asked = {
        "name": "for ever",
        "scopes": ["read"],
        "is_for_organisation": True,
        "lapses_at": later and (timezone.now() + later).isoformat(),
    }
    answer = post(Client(), "tokens", asked, **key)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
    assert AccessToken.objects.count() == 1
    assert post(Client(), "tokens", asked | {"lapses_at": tomorrow.isoformat()}, **key).status_code == 201


def test_a_key_that_only_reads_gets_no_links_to_download_by():
    deal = trading.make_trade("delivered")
    access = f"/api/v1/trades/{deal.trade.public_id}/access"
    answer = Client().get(access, headers=bearer(deal.buyer, "read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
    assert Client().get(access, headers=bearer(deal.buyer, "read", "trade")).json()["files"]


def test_where_the_buyer_pays_is_told_to_those_alone_who_may_pay():
    deal = trading.make_trade("registered")
    trading.work()
    viewer = factories.make_member(deal.trade.buyer, Role.VIEWER)
    address = f"/api/v1/trades/{deal.trade.public_id}"
    told = {
        name: signed_in(person).get(address).json()["payments"][0]["pay_at_url"]
        for name, person in {"buyer": deal.buyer, "viewer": viewer, "seller": deal.seller}.items()
    }
    assert told["buyer"].endswith(f"/sandbox/pay/{deal.payment.reference}/")
    assert (told["viewer"], told["seller"]) == ("", "")


# --- people --------------------------------------------------------------------------------------------------------


def test_nobody_floods_strangers_with_letters():
    owner = factories.make_user()
    one, other = (factories.make_organisation(owner=owner) for _ in range(2))
    for number in range(INVITATIONS_A_DAY):
        participants.invite(one, email=f"victim{number}@example.com", role="viewer", by=owner)
    for organisation in (one, other):
        with pytest.raises(TooManyInvitations):
            participants.invite(organisation, email="one-more@example.com", role="viewer", by=owner)
    assert Invitation.objects.count() == INVITATIONS_A_DAY
    Invitation.objects.update(created_at=timezone.now() - dt.timedelta(days=1, seconds=1))
    participants.invite(one, email="one-more@example.com", role="viewer", by=owner)


def test_a_letter_to_an_address_longer_than_is_kept_is_refused_and_not_a_fault_of_ours():
    organisation = factories.make_organisation()
    owner, path = factories.owner_of(organisation), f"organisations/{organisation.public_id}/invitations"
    answer = post(
        signed_in(owner), path, {"email": "a" * 60 + "@" + "b" * 60 + ".c" * 80 + ".example", "role": "viewer"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "email_invalid")


@pytest.mark.parametrize("is_known", [True, False])
def test_signing_up_hashes_a_password_whether_or_not_the_address_has_an_account(is_known, client, monkeypatch):
    hashed = []
    hasher = type(hashers.get_hasher())  # in a test a quick one
    real = hasher.encode

    def counted(self, password, salt):
        hashed.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(hasher, "encode", counted)
    factories.make_user("known@example.com")
    email = "known@example.com" if is_known else "unknown@example.com"
    answer = client.post("/accounts/signup/", {"email": email, "password1": "a long enough pass phrase"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/confirm-email/")
    assert hashed == ["a long enough pass phrase"]


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_who_left_a_party_still_does_not_decide_its_dispute(side):
    deal = trading.propose(trading.make_offer(price_minor=0))
    trading.work()
    judge = factories.make_staff("disputes")
    party = getattr(deal.trade, side)
    _invitation, secret = participants.invite(party, email=judge.email, role="viewer", by=party.created_by)
    membership = participants.accept_invitation(secret, by=judge)
    opened = trades.dispute(deal.trade, reason="Wrong rows", by=deal.buyer)
    participants.end_membership(membership, by=judge)
    for decide in (
        lambda: trades.end_free_dispute(opened, resolution="For us", by=judge),
        lambda: trades.resolve(opened, refund_minor=0, resolution="For us", by=judge),
    ):
        with pytest.raises(Invalid) as refusal:
            decide()
        assert refusal.value.code == "own_dispute"
    assert deal.state == "disputed"


def test_nobody_keeps_the_exchange_busy_with_setting_pages(monkeypatch):
    monkeypatch.setattr(paper_checks, "RENDERINGS_ALLOWED", 2)
    deal = trading.make_trade("registered")
    paper = Paper.objects.get(kind="trade_contract")
    client = signed_in(deal.buyer)
    answers = [client.get(f"/papers/{paper.number}/en.pdf").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert signed_in(deal.seller).get(f"/papers/{paper.number}/en.pdf").status_code == 200


# --- gateways ------------------------------------------------------------------------------------------------------


def test_a_gateway_does_not_speak_of_the_money_of_another():
    deal = trading.make_trade("delivered")
    opened = trades.dispute(deal.trade, reason="Wrong rows", by=deal.buyer)
    trades.resolve(
        opened, refund_minor=deal.trade.price_minor, resolution="All of it", by=factories.make_staff("disputes")
    )
    refund = Refund.objects.get()
    for told in (
        lambda: payments.record_refund_paid(refund.key, "another"),
        lambda: payments.record_refund_bounced(refund.key, "another", "no such account"),
    ):
        with pytest.raises(Invalid) as refusal:
            told()
        assert refusal.value.code == "unknown_refund"
    refund.refresh_from_db()
    assert refund.state == "due"


def test_a_gateway_does_not_settle_the_payouts_of_another():
    deal = trading.make_trade("cleared")
    [payout] = payouts.claim_next_payouts()
    assert payout.gateway == "sandbox"
    for told in (
        lambda: payouts.told_of([(payout.key, "another")]),
        lambda: payouts.record_bounced(payout.key, "another", "no such account"),
    ):
        with pytest.raises(Invalid) as refusal:
            told()
        assert refusal.value.code == "unknown_payout"
    assert Payout.objects.get().state == "due"
    assert deal.state == "cleared"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"event_id": "a\\u0000"}',
        b'{"event_id": "\\ud800"}',
        b'{"event_id": "a\\u202e"}',
        '{"event_id": "wide"}'.encode("utf-16"),
    ],
    ids=["deep", "nul", "surrogate", "turned", "utf-16"],
)
def test_a_signed_notice_nobody_can_keep_is_refused_and_not_a_fault_of_ours(body):
    with pytest.raises(BadNotice):
        payments.note("sandbox", body, {sandbox_signature.HEADER: sandbox_signature.sign(body)})
    assert not Notice.objects.exists()


@pytest.mark.parametrize("reference", ["12\n34", "12\u202e34", "12\x0034", " "])
def test_an_account_for_payouts_reads_as_it_is(reference):
    organisation = factories.make_organisation()
    with pytest.raises(Invalid):
        payout_accounts.name(
            organisation, gateway_name="sandbox", reference=reference, by=factories.owner_of(organisation)
        )
    assert not organisation.payout_accounts.exists()


# --- the disk ------------------------------------------------------------------------------------------------------


def test_one_seller_does_not_take_up_the_disk_all_share(settings):
    settings.SELLER_MAX_BYTES = 1000
    greedy, modest = factories.make_organisation(), factories.make_organisation()
    releases = {}
    for seller in (greedy, modest):
        by = factories.owner_of(seller)
        for label in ("1", "2"):
            listing = publishing.create_listing(seller=seller, product_type="dataset", by=by)
            releases[seller, label] = uploads.open_release(listing, label=label, by=by), by
    release, by = releases[greedy, "1"]
    uploads.put_file(release, path="a.csv", stream=io.BytesIO(b"a" * 400), by=by)
    announced = uploads.start_upload(release, path="b.csv", size_bytes=500, by=by)
    other, by = releases[greedy, "2"]
    with pytest.raises(TooLarge) as refusal:
        uploads.start_upload(other, path="c.csv", size_bytes=101, by=by)
    assert refusal.value.code == "seller_full"
    uploads.start_upload(releases[modest, "1"][0], path="c.csv", size_bytes=1000, by=releases[modest, "1"][1])
    uploads.cancel_upload(announced, by=by)
    uploads.start_upload(other, path="c.csv", size_bytes=600, by=by)


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["/", "/nope", "/api/v1/nope", "/api/v1/docs", "/admin/", "/data/files/x/y", "/verify/?number=x", "/?x=%00"],
)
def test_every_kind_of_answer_says_what_a_browser_may_load(address, client):
    answer = client.get(address)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nobody_reads_the_letters_of_a_real_exchange(client, settings):
    assert settings.DEBUG is False
    assert client.get("/letters/").status_code == 404


def test_another_machine_does_not_read_the_letters_of_development(client, settings):
    settings.DEBUG = True
    assert client.get("/letters/").status_code == 200
    assert client.get("/letters/", REMOTE_ADDR="192.168.7.7").status_code == 404
