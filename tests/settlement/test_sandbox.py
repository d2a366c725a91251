"""The bank the sandbox acts out, its page, and its notices over real HTTP."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import threading
import time

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from marketplace import clock, tokens
from marketplace.errors import Invalid, WrongState
from settlement import payments
from settlement.gateways import BadNotice, Paid, gateway, sandbox_bank, sandbox_signature
from settlement.models import Notice, SandboxNotice, SandboxOrder
from tests import rows
from tests.factories import make_staff, make_user

INBOX = "/api/v1/gateways/sandbox/notices"


@pytest.fixture
def payment(db):
    payment = rows.a_payment("sandbox", 10_000)
    gateway("sandbox").start(payment)
    return payment


@pytest.fixture
def reference(payment) -> str:
    return sandbox_bank.reference_of("payment", payment.key)


def told(reference: str) -> list[tuple[str, int]]:
    return [(str(one["type"]), int(one["moved_minor"])) for one in sandbox_bank.told_of(sandbox_bank.order(reference))]


# --- acts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "amount_minor", "moved", "state"),
    [
        ("pay", None, [10_000], "done"),
        ("pay", 4_000, [4_000], "open"),
        ("pay_less", None, [9_999], "open"),
        ("pay_less", 1, [1], "open"),
        ("pay_more", None, [10_001], "done"),
        ("pay_twice", None, [10_000, 10_000], "done"),
        ("pay_late", None, [10_000], "done"),
    ],
)
def test_each_way_to_pay_moves_exactly_its_amounts(reference, what, amount_minor, moved, state):
    order = sandbox_bank.act(reference, what, amount_minor=amount_minor)
    assert told(reference) == [("paid", minor) for minor in moved]
    assert order.state == SandboxOrder.objects.get(reference=reference).state == state
    events = [notice.event_id for notice in SandboxNotice.objects.order_by("pk")]
    assert events == [f"{reference}-{number + 1}" for number in range(len(moved))]


def test_what_is_outstanding_can_be_paid_after_too_little(reference):
    sandbox_bank.act(reference, "pay_less", amount_minor=4_000)
    sandbox_bank.act(reference, "pay")
    assert told(reference) == [("paid", 4_000), ("paid", 6_000)]
    assert {one["payer"] for one in sandbox_bank.told_of(sandbox_bank.order(reference))} == {
        f"account-{reference[-8:]}"
    }
    assert sandbox_bank.possible_acts(sandbox_bank.order(reference)) == ["charge_back"]


def test_a_late_payment_is_not_posted_before_its_time(reference):
    sandbox_bank.act(reference, "pay_late", delay_seconds=3600)
    [notice] = SandboxNotice.objects.all()
    assert dt.timedelta(minutes=59) < notice.next_try_at - timezone.now() <= dt.timedelta(hours=1)
    assert sandbox_bank.post_due_notices() == 0
    assert SandboxNotice.objects.get().tries == 0


def test_a_stopped_order_takes_only_what_was_on_its_way(payment, reference):
    gateway("sandbox").stop(payment)
    assert sandbox_bank.possible_acts(sandbox_bank.order(reference)) == ["pay_late"]
    with pytest.raises(WrongState, match="is stopped"):
        sandbox_bank.act(reference, "pay")
    assert told(reference) == []
    sandbox_bank.act(reference, "pay_late")
    assert told(reference) == [("paid", 10_000)]


def test_an_order_stopped_before_it_arrived_is_born_stopped(db):
    payment = rows.a_payment("sandbox")
    gateway("sandbox").stop(payment)
    started = gateway("sandbox").start(payment)
    assert sandbox_bank.order(started.reference).state == "stopped"


@pytest.mark.parametrize("before", ["pay", "pay_more", "pay_twice", "fail"])
def test_a_finished_order_takes_no_other_payment(reference, before):
    sandbox_bank.act(reference, before)
    so_far = told(reference)
    for what in ("pay", "pay_less", "pay_more", "pay_twice", "pay_late", "fail"):
        with pytest.raises(WrongState) as refusal:
            sandbox_bank.act(reference, what)
        assert (refusal.value.code, refusal.value.status) == ("order_finished", 409)
    assert told(reference) == so_far


def test_a_chargeback_is_opened_once_and_decided_once(reference):
    with pytest.raises(WrongState):
        sandbox_bank.act(reference, "charge_back")
    sandbox_bank.act(reference, "pay")
    sandbox_bank.act(reference, "charge_back")
    for refused in ("charge_back", "pay", "bounce"):
        with pytest.raises(WrongState):
            sandbox_bank.act(reference, refused)
    sandbox_bank.act(reference, "win_chargeback")
    sandbox_bank.act(reference, "charge_back")
    sandbox_bank.act(reference, "lose_chargeback")
    for refused in ("charge_back", "win_chargeback", "lose_chargeback"):
        with pytest.raises(WrongState):
            sandbox_bank.act(reference, refused)
    assert told(reference) == [
        ("paid", 10_000),
        ("disputed", 0),
        ("dispute_closed", 0),
        ("disputed", 0),
        ("dispute_closed", -10_000),
    ]
    contests = {one["contest"] for one in sandbox_bank.told_of(sandbox_bank.order(reference)) if "contest" in one}
    assert contests == {f"{reference}-c2", f"{reference}-c4"}


def test_what_was_paid_out_can_bounce_afterwards_and_comes_back(db):
    payout = rows.a_payout("sandbox", 9_750)
    reference = gateway("sandbox").pay_out(payout, "account-of-a-payee")
    sandbox_bank.act(reference, "bounce")
    assert told(reference) == [("paid_out", -9_750), ("payout_failed", 9_750)]
    with pytest.raises(WrongState):
        sandbox_bank.act(reference, "bounce")


def test_an_account_that_bounces_once_takes_the_next_payout(db):
    first, second = rows.a_payout("sandbox", 100), rows.a_payout("sandbox", 100)
    sent = [gateway("sandbox").pay_out(payout, "bounce-once-8") for payout in (first, second, first)]
    assert sent[0] == sent[2] != sent[1]
    assert told(sent[0]) == [("payout_failed", 0)]
    assert told(sent[1]) == [("paid_out", -100)]


def test_a_refund_goes_to_the_account_the_payer_paid_from(payment, reference):
    sandbox_bank.act(reference, "pay_twice", account="bounce-once-7")
    first, second = (rows.a_refund(payment, 5_000, reference) for _ in range(2))
    assert told(gateway("sandbox").refund(first)) == [("refund_failed", 0)]
    assert told(gateway("sandbox").refund(second)) == [("refunded", -5_000)]


@pytest.mark.parametrize(
    ("what", "facts", "code"),
    [
        ("rob", {}, "unknown_act"),
        ("", {}, "unknown_act"),
        ("pay", {"amount_minor": 0}, "bad_amount"),
        ("pay", {"amount_minor": -5}, "bad_amount"),
        ("pay", {"amount_minor": 2**53}, "bad_amount"),
        ("pay_late", {"delay_seconds": -1}, "bad_delay"),
        ("pay_late", {"delay_seconds": 10**9}, "bad_delay"),
    ],
)
def test_an_act_that_makes_no_sense_is_refused_and_changes_nothing(reference, what, facts, code):
    with pytest.raises(Invalid) as refusal:
        sandbox_bank.act(reference, what, **facts)
    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert told(reference) == [] and sandbox_bank.order(reference).state == "open"


def test_less_than_one_minor_unit_cannot_be_paid(db):
    payment = rows.a_payment("sandbox", 1)
    reference = gateway("sandbox").start(payment).reference
    with pytest.raises(Invalid):
        sandbox_bank.act(reference, "pay_less")
    assert told(reference) == []


def test_an_unknown_reference_is_not_found(db):
    with pytest.raises(sandbox_bank.NoSuchOrder) as refusal:
        sandbox_bank.act("payment-000000000000000000000000", "pay")
    assert refusal.value.status == 404


@pytest.mark.django_db(transaction=True)
def test_six_identical_clicks_pay_once():
    payment = rows.a_payment("sandbox")
    reference = gateway("sandbox").start(payment).reference
    refused = []
    start = threading.Barrier(6)

    def click() -> None:
        start.wait()
        try:
            sandbox_bank.act(reference, "pay")
        except WrongState as refusal:
            refused.append(refusal.code)
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(6)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert refused == ["order_finished"] * 5
    assert told(reference) == [("paid", 10_000)]


@pytest.mark.django_db(transaction=True)
def test_six_workers_that_start_one_payment_make_one_order():
    payment = rows.a_payment("sandbox")
    started, start = [], threading.Barrier(6)

    def work() -> None:
        start.wait()
        try:
            started.append(gateway("sandbox").start(payment))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert len(set(started)) == 1 and len(started) == 6
    assert SandboxOrder.objects.count() == 1


# --- signatures --------------------------------------------------------------------------------------------------


def test_the_signature_is_the_hmac_of_time_and_body(settings):
    settings.SANDBOX_SECRET = "a made-up secret"
    mac = hmac.new(b"a made-up secret", b'1700000000.{"event_id":"e"}', hashlib.sha256).hexdigest()
    assert sandbox_signature.sign(b'{"event_id":"e"}', at=1_700_000_000) == f"t=1700000000,v1={mac}"


@pytest.mark.parametrize(
    ("age_seconds", "is_good"), [(0, True), (290, True), (310, False), (-290, True), (-310, False)]
)
def test_a_signature_holds_for_five_minutes(age_seconds, is_good):
    body = b'{"event_id":"e"}'
    headers = {"sandbox-signature": sandbox_signature.sign(body, at=int(time.time()) - age_seconds)}
    if is_good:
        assert gateway("sandbox").verify(body, headers) == "e"
    else:
        with pytest.raises(BadNotice, match="five minutes|5 minutes"):
            gateway("sandbox").verify(body, headers)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{}", b'{"event_id":7}', b'{"event_id":""}', b"\xff", b'{"event_id":"%s"}' % (b"e" * 121)],
)
def test_a_signed_body_without_an_event_is_refused(body):
    with pytest.raises(BadNotice):
        gateway("sandbox").verify(body, {"Sandbox-Signature": sandbox_signature.sign(body)})


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=1", "v1=" + "0" * 64, "t=x,v1=" + "0" * 64, "t=1,v1=é"])
def test_a_header_of_another_form_is_refused(header):
    with pytest.raises(BadNotice):
        gateway("sandbox").verify(b'{"event_id":"e"}', {"Sandbox-Signature": header})


# --- posting over HTTP -------------------------------------------------------------------------------------------


@pytest.fixture
def exchange(live_server, settings):
    settings.BASE_URL = live_server.url
    return live_server


def test_notices_arrive_over_http_once_each_and_read_as_facts(exchange):
    payment = rows.a_payment("sandbox")
    reference = gateway("sandbox").start(payment).reference
    sandbox_bank.act(reference, "pay_twice")
    assert sandbox_bank.post_due_notices() == 2
    assert sandbox_bank.post_due_notices() == 0
    assert not SandboxNotice.objects.filter(posted_at=None).exists()
    notices = Notice.objects.order_by("event_id")
    assert [notice.event_id for notice in notices] == [f"{reference}-1", f"{reference}-2"]
    payer = f"account-{reference[-8:]}"
    assert [fact for notice in notices for fact in gateway("sandbox").read(notice)] == [
        Paid(f"{reference}-1", payment.key, 10_000, "HKD", payer),
        Paid(f"{reference}-2", payment.key, 10_000, "HKD", payer),
    ]


def test_under_a_moved_clock_notices_reach_the_inbox_without_a_web_server_and_signed(reference, settings):
    settings.CLOCK_MAY_MOVE = True
    with clock.moved_to(timezone.now() - dt.timedelta(days=300)):
        sandbox_bank.act(reference, "pay")
        assert sandbox_bank.post_due_notices(lambda body, headers: payments.note("sandbox", body, headers)) == 1
        notice = Notice.objects.get()
        assert [fact.amount_minor for fact in gateway("sandbox").read(notice)] == [10_000]
        with pytest.raises(BadNotice):
            payments.note("sandbox", b"{}", {sandbox_signature.HEADER: "t=1,v1=" + "0" * 64})
        assert sandbox_bank.post_due_notices(lambda body, headers: pytest.fail("it was posted")) == 0
    assert timezone.now() - notice.received_at > dt.timedelta(days=299)


def test_a_notice_posted_again_after_a_crash_is_kept_once(exchange):
    reference = gateway("sandbox").start(rows.a_payment("sandbox")).reference
    sandbox_bank.act(reference, "pay")
    assert sandbox_bank.post_due_notices() == 1
    SandboxNotice.objects.update(posted_at=None, claimed_until=timezone.now() - dt.timedelta(seconds=1))
    assert sandbox_bank.post_due_notices() == 1
    assert Notice.objects.count() == 1


def test_a_claim_that_still_holds_is_left_alone(exchange):
    sandbox_bank.act(gateway("sandbox").start(rows.a_payment("sandbox")).reference, "pay")
    SandboxNotice.objects.update(claimed_until=timezone.now() + dt.timedelta(seconds=30))
    assert sandbox_bank.post_due_notices() == 0
    assert not Notice.objects.exists()


def test_a_notice_nobody_takes_backs_off_and_arrives_later_as_the_same_event(exchange, settings):
    sandbox_bank.act(gateway("sandbox").start(rows.a_payment("sandbox")).reference, "pay")
    settings.BASE_URL = "http://127.0.0.1:9"  # the discard port: nobody listens
    assert sandbox_bank.post_due_notices() == 0
    row = SandboxNotice.objects.get()
    assert (row.tries, row.claimed_until, row.posted_at) == (1, None, None)
    assert row.error.startswith("ConnectError") and row.next_try_at > timezone.now()
    settings.BASE_URL = exchange.url
    SandboxNotice.objects.update(next_try_at=timezone.now())
    assert sandbox_bank.post_due_notices() == 1
    assert [notice.event_id for notice in Notice.objects.all()] == [row.event_id]


def test_a_notice_the_inbox_refuses_backs_off_alone(exchange):
    good, bad = (gateway("sandbox").start(rows.a_payment("sandbox")).reference for _ in range(2))
    sandbox_bank.act(bad, "pay")
    sandbox_bank.act(good, "pay")
    SandboxNotice.objects.filter(order__reference=bad).update(body="not JSON")
    assert sandbox_bank.post_due_notices() == 1
    refused = SandboxNotice.objects.get(order__reference=bad)
    assert refused.posted_at is None and "400" in refused.error
    assert Notice.objects.get().event_id == f"{good}-1"


def test_the_inbox_refuses_a_forged_and_an_old_notice(exchange):
    body = json.dumps({"event_id": "evil-1", "type": "paid"}).encode()
    for signature in (
        "",
        f"t={int(time.time())},v1={'0' * 64}",
        sandbox_signature.sign(body + b" "),
        sandbox_signature.sign(body, at=int(time.time()) - 3600),
    ):
        answer = httpx.post(exchange.url + INBOX, content=body, headers={"Sandbox-Signature": signature})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_notice")
    assert not Notice.objects.exists()


# --- its page and its API ----------------------------------------------------------------------------------------


@pytest.fixture
def person(client: Client, db):
    user = make_user()
    client.force_login(user)
    return user


def test_a_signed_in_person_pays_on_the_page(client, person, reference):
    page = f"/sandbox/pay/{reference}/"
    shown = client.get(page)
    assert shown.status_code == 200
    assert "HKD" in shown.text and "100.00" in shown.text and "no money moves" in shown.text
    answer = client.post(page, {"act": "pay"})
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert told(reference) == [("paid", 10_000)]
    again = client.post(page, {"act": "pay"})
    assert again.status_code == 409 and "order_finished" in again.text
    assert "Charge back" in client.get(page).text


def test_the_page_takes_an_amount_as_people_write_it(client, person, reference):
    client.post(f"/sandbox/pay/{reference}/", {"act": "pay_less", "amount_minor": "99.50", "account": "mine"})
    assert told(reference) == [("paid", 9_950)]
    assert SandboxOrder.objects.get().payer_reference == "mine"


def test_the_page_shows_a_mistake_and_changes_nothing(client, person, reference):
    answer = client.post(f"/sandbox/pay/{reference}/", {"act": "pay_less", "amount_minor": "<b>much</b>"})
    assert answer.status_code == 400
    assert "<b>much" not in answer.text and "is not an amount" in answer.text
    assert told(reference) == []


def test_the_page_is_for_those_signed_in_who_know_the_reference(client, reference):
    assert client.get(f"/sandbox/pay/{reference}/").status_code == 302
    assert client.post(f"/sandbox/pay/{reference}/", {"act": "pay"}).status_code == 302
    assert told(reference) == []
    client.force_login(make_user())
    assert client.get("/sandbox/pay/payment-0/").status_code == 404


def test_what_leaves_the_exchange_bounces_only_at_the_hand_of_its_staff(client, db):
    reference = gateway("sandbox").pay_out(rows.a_payout("sandbox", 500), "account-of-a-payee")
    client.force_login(make_user())
    assert client.post(f"/sandbox/pay/{reference}/", {"act": "bounce"}).status_code == 403
    assert told(reference) == [("paid_out", -500)]
    client.force_login(make_staff("payments"))
    assert client.post(f"/sandbox/pay/{reference}/", {"act": "bounce"}).status_code == 302
    assert told(reference) == [("paid_out", -500), ("payout_failed", 500)]


def test_without_the_sandbox_its_page_is_not_there(client, person, reference, settings):
    settings.GATEWAYS = {}
    assert client.get(f"/sandbox/pay/{reference}/").status_code == 404


def test_a_script_pays_once_per_idempotency_key(client, reference):
    user = make_user()
    _token, secret = tokens.create_token(
        user=user, organisation=None, name="script", scopes=["trade"], lapses_at=None, by=user
    )

    def post(key: str, **body: object):
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
        return client.post(f"/api/v1/sandbox/orders/{reference}/acts", body, "application/json", headers=headers)

    first = post("k1", act="pay_less", amount_minor=4_000)
    assert first.status_code == 200
    assert first.json() == {
        "reference": reference,
        "state": "open",
        "possible_acts": ["pay", "pay_less", "pay_more", "pay_twice", "pay_late", "fail", "charge_back"],
    }
    assert post("k1", act="pay_less", amount_minor=4_000).json() == first.json()
    assert told(reference) == [("paid", 4_000)]
    assert post("k2", act="pay").json()["possible_acts"] == ["charge_back"]
    assert (post("k3", act="pay").status_code, post("k3", act="pay").json()["code"]) == (409, "order_finished")
    assert post("k4", act="rob").status_code == 400
    assert told(reference) == [("paid", 4_000), ("paid", 6_000)]
