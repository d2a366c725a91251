"""The bank the sandbox acts out: its orders, what becomes of them, and the notices it posts. No money moves.

`act` is the bank's customer: it pays an order, wrongly, twice or late, contests it, or sends money back. Each act
writes signed notices to be posted to the inbox every gateway uses. Money that leaves is paid at once, unless the
account it goes to says otherwise: one named `bounce…` refuses it, one named `bounce-once…` refuses it the first time.
"""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import httpx
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from marketplace import clock
from marketplace.claims import postponed_on_failure, while_it_holds
from marketplace.errors import Invalid, Refused, WrongState
from marketplace.money import LARGEST_MINOR
from settlement.gateways import sandbox_signature
from settlement.models import SandboxNotice, SandboxOrder

INBOX = "/api/v1/gateways/sandbox/notices"
CALL_SECONDS = 10
AT_ONCE = 25
LONGEST_DELAY_SECONDS = 30 * 24 * 3600

OPEN, STOPPED, DONE = "open", "stopped", "done"
PAYMENT, REFUND, PAYOUT = SandboxOrder.Kind.PAYMENT, SandboxOrder.Kind.REFUND, SandboxOrder.Kind.PAYOUT
ACTS = (
    "pay",
    "pay_less",
    "pay_more",
    "pay_twice",
    "pay_late",
    "fail",
    "charge_back",
    "win_chargeback",
    "lose_chargeback",
    "bounce",
)
_SUCCESS: dict[str, str] = {REFUND: "refunded", PAYOUT: "paid_out"}
_FAILURE: dict[str, str] = {REFUND: "refund_failed", PAYOUT: "payout_failed"}
_REFUSAL = gettext_noop("the account refuses it")  # pages say it in the reader's language


class NoSuchOrder(Refused):
    """The sandbox has no order with this reference."""

    code = "unknown_reference"
    status = 404
    says = _("The sandbox has no order with this reference.")
    next = _("Follow the link of the payment itself.")


# --- orders ------------------------------------------------------------------------------------------------------


def reference_of(kind: str, key: str) -> str:
    """An order's reference: it follows from our key, so asking twice names the same order, and cannot be guessed."""
    return f"{kind}-{salted_hmac('settlement.sandbox', key, algorithm='sha256').hexdigest()[:24]}"


def open_order(
    kind: str, key: str, amount_minor: int, currency: str, *, account: str = "", state: str = OPEN
) -> SandboxOrder:
    """The order with this key, made the first time it is asked for. Only its `pk` and `reference` are to be read."""
    order = SandboxOrder(
        kind=kind,
        key=key,
        reference=reference_of(kind, key),
        amount_minor=amount_minor,
        currency=currency,
        payer_reference=account,
        state=state,
    )
    try:
        SandboxOrder.objects.bulk_create([order], update_conflicts=True, unique_fields=["key"], update_fields=["key"])
    except IntegrityError:
        # The same order, made at the same instant: ON CONFLICT names one index, and the other one was met first.
        return SandboxOrder.objects.get(key=key)
    return order


def stop_order(key: str, amount_minor: int, currency: str) -> None:
    """Take no more money for it, not even if the order to take some is still on its way."""
    order = open_order(PAYMENT, key, amount_minor, currency, state=STOPPED)
    SandboxOrder.objects.filter(pk=order.pk, state=OPEN).update(state=STOPPED)


def send_out(kind: str, key: str, amount_minor: int, currency: str, *, account: str) -> SandboxOrder:
    """Send money to `account` once per key, and tell how it went."""
    order = open_order(kind, key, amount_minor, currency, account=account, state=DONE)
    if _bounces(order):
        notice = _notice(order, 1, _FAILURE[kind], reason=_REFUSAL)
    else:
        notice = _notice(order, 1, _SUCCESS[kind], moved_minor=-amount_minor)
    SandboxNotice.objects.bulk_create([notice], ignore_conflicts=True)
    return order


def account_of(name: str) -> str:
    """The account money goes back to: that of the payer, where `name` is the reference of an order they paid."""
    paid = SandboxOrder.objects.filter(kind=PAYMENT, reference=name).values_list("payer_reference", flat=True).first()
    return name if paid is None else paid


def order(reference: str) -> SandboxOrder:
    """Raises NoSuchOrder."""
    found = SandboxOrder.objects.filter(reference=reference).first()
    if found is None:
        raise NoSuchOrder()
    return found


def _bounces(order: SandboxOrder) -> bool:
    account = order.payer_reference
    if account.startswith("bounce-once"):
        return not SandboxOrder.objects.filter(kind=order.kind, payer_reference=account, pk__lt=order.pk).exists()
    return account.startswith("bounce")


# --- acts --------------------------------------------------------------------------------------------------------


@transaction.atomic
def act(
    reference: str, what: str, *, amount_minor: int | None = None, delay_seconds: int = 0, account: str = ""
) -> SandboxOrder:
    """Act out what the bank's customer, or the bank, does with an order; `what` is one of ACTS.

    `pay` pays what is outstanding, or `amount_minor`; `pay_less` and `pay_more` miss it by one minor unit unless an
    amount is named. `delay_seconds` is how much later it happens. `account` is where a payer pays from.
    Raises NoSuchOrder, Invalid, and WrongState (`order_finished`) for an act the order is past.
    """
    found = SandboxOrder.objects.select_for_update().filter(reference=reference).first()
    if found is None:
        raise NoSuchOrder()
    if what not in ACTS:
        raise Invalid(
            _("The sandbox cannot “%(act)s”; it can %(known)s."),
            code="unknown_act",
            act=what[:40],
            known=", ".join(ACTS),
        )
    if amount_minor is not None and not 0 < amount_minor <= LARGEST_MINOR:
        raise Invalid(_("An amount is a whole number of minor units, at least one."), code="bad_amount")
    if not 0 <= delay_seconds <= LONGEST_DELAY_SECONDS:
        raise Invalid(
            _("A delay is between 0 and %(longest_delay_seconds)s seconds."),
            code="bad_delay",
            longest_delay_seconds=LONGEST_DELAY_SECONDS,
        )
    told = told_of(found)
    if what not in _possible(found, told):
        raise WrongState(
            _("The order is %(state)s; the sandbox cannot “%(what)s” now."),
            code="order_finished",
            next=_("Load it again and see what can be acted out now."),
            state=found.state,
            what=what,
        )
    if account:
        found.payer_reference = account[:120]
    at = clock.now() + dt.timedelta(seconds=delay_seconds)
    SandboxNotice.objects.bulk_create(_acted(found, what, told, amount_minor, at))
    found.save(update_fields=["state", "payer_reference"])
    return found


def possible_acts(order: SandboxOrder) -> list[str]:
    """What can be acted out with the order now, in the order of ACTS."""
    return _possible(order, told_of(order))


def told_of(order: SandboxOrder) -> list[dict[str, object]]:
    """Everything the bank said, or is about to say, about the order, oldest first."""
    return [json.loads(body) for body in order.notices.order_by("pk").values_list("body", flat=True)]


def _possible(order: SandboxOrder, told: list[dict[str, object]]) -> list[str]:
    kinds = [one["type"] for one in told]
    if order.kind != PAYMENT:
        return ["bounce"] if kinds and kinds[-1] == _SUCCESS[order.kind] else []
    acts = {OPEN: ["pay", "pay_less", "pay_more", "pay_twice", "pay_late", "fail"], STOPPED: ["pay_late"]}
    possible = list(acts.get(order.state, []))
    if kinds.count("disputed") > kinds.count("dispute_closed"):
        possible += ["win_chargeback", "lose_chargeback"]
    elif _contestable_minor(told):
        possible += ["charge_back"]
    return possible


def _contestable_minor(told: list[dict[str, object]]) -> int:
    """What was paid and not taken back: no bank takes back more."""
    return sum(int(str(one["moved_minor"])) for one in told if one["type"] in ("paid", "dispute_closed"))


def _acted(
    order: SandboxOrder, what: str, told: list[dict[str, object]], amount_minor: int | None, at: dt.datetime
) -> list[SandboxNotice]:
    """The notices of an act; the order takes the state and the account it leads to."""
    number = len(told) + 1
    if what == "bounce":
        notice = _notice(order, number, _FAILURE[order.kind], at=at, reason=_REFUSAL, moved_minor=order.amount_minor)
        return [notice]
    if what == "fail":
        order.state = DONE
        return [_notice(order, number, "payment_failed", at=at, reason=gettext_noop("the payer's bank declined"))]
    received_minor = sum(int(str(one["moved_minor"])) for one in told if one["type"] == "paid")
    if "chargeback" in what or what == "charge_back":
        amount_minor = min(amount_minor or order.amount_minor, _contestable_minor(told))
        return [_contest(order, what, told, amount_minor, at)]
    return _pay(order, what, number, received_minor, amount_minor, at)


def _pay(
    order: SandboxOrder, what: str, number: int, received_minor: int, amount_minor: int | None, at: dt.datetime
) -> list[SandboxNotice]:
    outstanding_minor = max(order.amount_minor - received_minor, 1)
    amount_minor = amount_minor or outstanding_minor + {"pay_less": -1, "pay_more": 1}.get(what, 0)
    if amount_minor < 1:
        raise Invalid(_("There is nothing less than one minor unit to pay."), code="bad_amount")
    times = 2 if what == "pay_twice" else 1
    if order.state == OPEN and received_minor + amount_minor * times >= order.amount_minor:
        order.state = DONE
    order.payer_reference = order.payer_reference or f"account-{order.reference[-8:]}"
    return [
        _notice(order, number + one, "paid", at=at, payer=order.payer_reference, moved_minor=amount_minor)
        for one in range(times)
    ]


def _contest(
    order: SandboxOrder, what: str, told: list[dict[str, object]], amount_minor: int, at: dt.datetime
) -> SandboxNotice:
    number = len(told) + 1
    if what == "charge_back":
        contest = f"{order.reference}-c{number}"
        return _notice(order, number, "disputed", at=at, contest=contest, amount_minor=amount_minor)
    disputed = [one for one in told if one["type"] == "disputed"][-1]
    is_lost = what == "lose_chargeback"
    moved_minor = -int(str(disputed["amount_minor"])) if is_lost else 0
    return _notice(
        order, number, "dispute_closed", at=at, contest=disputed["contest"], is_lost=is_lost, moved_minor=moved_minor
    )


def _notice(
    order: SandboxOrder, number: int, kind: str, *, at: dt.datetime | None = None, moved_minor: int = 0, **facts: object
) -> SandboxNotice:
    """A notice to be posted at `at`; `moved_minor` is what this did to our account at the bank."""
    at = at or clock.now()
    event_id = f"{order.reference}-{number}"
    body = {
        "event_id": event_id,
        "type": kind,
        "at": at.astimezone(dt.UTC).isoformat(),
        "key": order.key,
        "currency": order.currency,
        "moved_minor": moved_minor,
        **facts,
    }
    return SandboxNotice(order=order, event_id=event_id, body=json.dumps(body), next_try_at=at)


# --- posting -----------------------------------------------------------------------------------------------------


Post = Callable[[bytes, dict[str, str]], object]


def post_due_notices(post: Post | None = None) -> int:
    """Post every notice that is due to the exchange's inbox; how many it took. Safe to run in parallel, or twice.

    It goes over HTTP; whoever carries trades at another time than the web server's gives a `post` of its own.
    """
    claimed = _claim_due()
    if not claimed:
        return 0
    with nullcontext(post) if post else _over_http() as way:
        posted = 0
        while claimed:
            posted += _post(claimed, way)
            claimed = _claim_due()
    return posted


@contextmanager
def _over_http() -> Iterator[Post]:
    with httpx.Client(timeout=CALL_SECONDS, trust_env=False, verify=_trusted()) as inbox:
        yield lambda body, headers: inbox.post(
            f"{settings.BASE_URL}{INBOX}", content=body, headers=headers
        ).raise_for_status()


def _claim_due() -> list[SandboxNotice]:
    return SandboxNotice.claim_several(SandboxNotice.objects.filter(posted_at=None), most=AT_ONCE)


def _post(claimed: list[SandboxNotice], way: Post) -> int:
    """Post claimed notices while the claim surely holds; how many."""
    posted = []
    for row in while_it_holds(claimed):
        with postponed_on_failure(row):
            body = row.body.encode()
            headers = {"Content-Type": "application/json", sandbox_signature.HEADER: sandbox_signature.sign(body)}
            way(body, headers)
            posted.append(row.pk)
    SandboxNotice.objects.filter(pk__in=posted).update(posted_at=clock.now(), claimed_until=None, error="")
    return len(posted)


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we trust over TLS: read once a process, for it takes longer than many notices."""
    return httpx.create_ssl_context()
