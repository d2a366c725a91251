"""Stripe: the buyer pays on Stripe's own page, the exchange's account there holds it, and transfers pay the members.

Separate charges and transfers: nothing goes to a seller before clearing. Every call that moves money carries our own
key as Stripe's idempotency key. Stripe forgets those after a day, so work that was tried before is first looked for
by our own id.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import stripe
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid
from settlement.gateways import BadNotice, Capabilities, Fact, Movement, Started, TryLater, stripe_books
from settlement.gateways.stripe_amounts import CURRENCIES, NotWritable, bounds_of, to_stripe
from settlement.gateways.stripe_facts import KEY, REFUSED, facts_of, key_of
from settlement.gateways.stripe_line import Declined, asking, listed, services
from settlement.gateways.stripe_members import require_payee
from settlement.models import Notice

if TYPE_CHECKING:
    from marketplace.models import Organisation
    from settlement.models import Payment, Payout, Refund

NAME = "stripe"
HEADER = "Stripe-Signature"
TOLERANCE_SECONDS = 300
BOOKS_WITHIN_DAYS = 3  # as long as Stripe goes on telling of an event
MOST_KEYS = 20
_CLOCKS_MAY_DIFFER = dt.timedelta(hours=1)
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{8,64}")
# What Stripe refuses to us and not to a payee: nobody's money comes back for it.
_OURS_TO_MEND = {
    "account_invalid", "api_key_expired", "livemode_mismatch", "platform_account_required", "platform_api_key_expired",
    "secret_key_required", "testmode_charges_only", "tls_version_unsupported",
}  # fmt: skip


class Stripe:
    """The exchange's account at Stripe, a platform of Stripe Connect."""

    name = NAME

    def capabilities(self) -> Capabilities:
        taken = frozenset(settings.STRIPE_CURRENCIES or settings.CURRENCIES) & CURRENCIES
        return Capabilities(
            currencies=taken,
            moves_money=_is_live(),
            takes_exact_sums=True,
            charges_us=True,
            returns_to_payer=True,
            bounds={currency: bounds_of(currency) for currency in taken},
            books_within_days=BOOKS_WITHIN_DAYS,
        )

    def start(self, payment: Payment) -> Started:
        """Open the page to pay on. Raises TryLater, Declined."""
        back = f"{settings.BASE_URL}{payment.trade.get_absolute_url()}"
        price = {
            "currency": payment.currency.lower(),
            "unit_amount": to_stripe(payment.amount_minor, payment.currency),
            "product_data": {"name": f"Data licence, trade {payment.trade.public_id}"},
        }
        with asking():
            session = services().checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": payment.key,
                    "line_items": [{"quantity": 1, "price_data": price}],
                    "metadata": {KEY: payment.key},
                    "payment_intent_data": {"metadata": {KEY: payment.key}, "transfer_group": payment.key},
                    "success_url": back,
                    "cancel_url": back,
                },
                {"idempotency_key": payment.key},
            )
        return _started(session.to_dict())

    def stop(self, payment: Payment) -> None:
        session = _session_of(payment)
        if session is None or session["status"] != "open":
            return
        try:
            with asking():
                services().checkout.sessions.expire(session["id"])
        except Declined:  # it was paid, or lapsed, a moment ago
            return

    def look_up(self, payment: Payment) -> Started | None:
        session = _session_of(payment)
        return None if session is None else _started(session)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        signature = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
        try:
            event = json.loads(_signed(body, signature))
            event_id, is_live = event["id"], event["livemode"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadNotice(_("The notice names no event.")) from None
        if not isinstance(event_id, str) or not re.fullmatch(r"evt_[A-Za-z0-9_]{4,110}", event_id):
            raise BadNotice(_("The notice names no event."))
        if is_live is not _is_live():
            raise BadNotice(_("The notice is of Stripe's test mode and the key is not, or the other way round."))
        return event_id

    def read(self, notice: Notice) -> Iterable[Fact]:
        return facts_of(json.loads(notice.body))

    def check_account(self, reference: str, holder: Organisation | None = None) -> str:
        if holder is not None:
            require_payee(holder, reference)
        if not _ACCOUNT.fullmatch(reference):
            raise Invalid(
                _("An account at Stripe is named acct_ and some letters and digits."),
                code="wrong_account",
                next=_("Take it from the settings of the account at Stripe."),
            )
        return reference

    def refund(self, refund: Refund) -> str:
        """Send it back to the card or account it came from. Raises TryLater."""
        try:
            intent = _intent_of(refund.payer_reference)
            if refund.tries > 1 and (known := _refund_known(intent, refund.key)):
                return known
            asked = {
                "payment_intent": intent,
                "amount": to_stripe(refund.amount_minor, refund.currency),
                "metadata": {KEY: refund.key},
            }
            return _moved_once(services().refunds.create, asked, refund.key)
        except (Declined, NotWritable) as refusal:
            return _tell_refused("refund", refund.key, refusal)

    def pay_out(self, payout: Payout, to: str) -> str:
        """Transfer it to the member's own account at Stripe. Raises TryLater."""
        try:
            if payout.tries > 1 and (known := _transfer_known(payout.key)):
                return known
            amount = to_stripe(payout.amount_minor, payout.currency)
            _require_funds(amount, payout.currency)
            asked = {
                "amount": amount,
                "currency": payout.currency.lower(),
                "destination": to,
                "transfer_group": payout.key,
                "metadata": {KEY: payout.key},
            }
            return _moved_once(services().transfers.create, asked, payout.key)
        except (Declined, NotWritable) as refusal:
            return _tell_refused("payout", payout.key, refusal)

    def movements(self, day: dt.date) -> Iterable[Movement]:
        return stripe_books.movements(day)


def _is_live() -> bool:
    """Whether the key is of the mode in which money moves."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def _started(session: Mapping[str, Any]) -> Started:
    """A page that ended has no address: its event says what became of it."""
    return Started(reference=session["id"], pay_at_url=session.get("url") or "")


def _session_of(payment: Payment) -> dict[str, Any] | None:
    """The page of this payment, by its reference, or among those opened since it was asked for."""
    sessions = services().checkout.sessions
    if payment.reference:
        with asking():
            return dict(sessions.retrieve(payment.reference).to_dict())
    since = {"gte": int((payment.requested_at - _CLOCKS_MAY_DIFFER).timestamp())}
    opened = listed(sessions.list, {"created": since})
    return next((one for one in opened if one["client_reference_id"] == payment.key), None)


def _signed(body: bytes, signature: str) -> str:
    """The body, if one of the endpoints' secrets signed it at most five minutes ago. Raises BadNotice, ValueError."""
    text = body.decode("utf-8")
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        return text
    raise BadNotice(_("The signature does not belong to this notice, or is older than five minutes."))


def _intent_of(reference: str) -> str:
    """What Stripe keeps the payer's money under, from that or from the page it was paid on. Raises Declined."""
    if reference.startswith("cs_"):
        with asking():
            reference = str(services().checkout.sessions.retrieve(reference).payment_intent or "")
    if not reference.startswith("pi_"):
        raise Declined("unknown_payer", f"Stripe keeps no money under {reference!r}")
    return reference


def _refund_known(intent: str, key: str) -> str:
    found = listed(services().refunds.list, {"payment_intent": intent})
    return next((one["id"] for one in found if key_of(one) == key), "")


def _transfer_known(key: str) -> str:
    return next((one["id"] for one in listed(services().transfers.list, {"transfer_group": key})), "")


def _require_funds(amount: int, currency: str) -> None:
    """Charges are available days after they were paid; until then the payout waits. Raises TryLater."""
    with asking():
        available = services().balance.retrieve().to_dict()["available"]
    if sum(one["amount"] for one in available if one["currency"] == currency.lower()) < amount:
        raise TryLater(f"Stripe: the available balance in {currency} is below {amount}")


def _moved_once(create: Any, asked: Mapping[str, Any], key: str) -> str:
    """Move money once for our key; Stripe's id of it. Raises Declined, TryLater.

    An answer is kept under its idempotency key, a lack of funds too. One that Stripe repeats to us moved nothing and
    never will, so the next key may be used: whoever tries again walks the same keys.
    """
    for number in range(1, MOST_KEYS + 1):
        try:
            with asking():
                made = create(dict(asked), {"idempotency_key": key if number == 1 else f"{key}-{number}"})
                return str(made.id)
        except Declined as refusal:
            if refusal.code in _OURS_TO_MEND:
                raise TryLater(f"Stripe: {refusal.code}") from None
            if refusal.code != "balance_insufficient":
                raise
            if not refusal.was_replayed:
                break
    raise TryLater("Stripe: the available balance is too low")


def _tell_refused(of: str, key: str, refusal: Exception) -> str:
    """Stripe will not do it: the money is back before it went. Said like everything a gateway says."""
    event_id = f"refused-{key}"
    said = {"of": of, "key": key, "reason": str(refusal)[:300]}
    body = json.dumps({"id": event_id, "type": REFUSED, "data": {"object": said}})
    Notice.objects.get_or_create(gateway=NAME, event_id=event_id, defaults={"body": body})
    return event_id
