"""Payment gateways: the protocol, the facts they report, and the registry.

A gateway moves money, or says it cannot. It never touches a trade: it answers with facts, and commands act on them.
Every call that changes something takes a stable key, so asking twice does it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Refused
from marketplace.money import LARGEST_MINOR
from settlement.gateways.metered import Metered

if TYPE_CHECKING:
    import datetime as dt

    from marketplace.models import Organisation
    from settlement.models import Notice, Payment, Payout, Refund
    from settlement.states import MovementKind


class NoGateway(Refused):
    """No payment gateway is configured, so nothing that costs money can be traded."""

    code = "no_gateway"
    says = _("No payment gateway is configured, so nothing that costs money can be traded.")
    next = _("Ask the exchange's operator to configure a payment gateway; free offers trade without one.")


class TryLater(Exception):
    """The gateway did not answer, or asked to be asked again."""


class BadNotice(Refused):
    """This notice is not from the gateway, or cannot be read."""

    code = "bad_notice"
    status = 400
    says = _("This notice is not from the gateway, or cannot be read.")
    next = _("Check the signing secret.")


@dataclass(frozen=True)
class Started:
    """The gateway took the payment up: its reference, and where the buyer pays ('' when there is no page)."""

    reference: str
    pay_at_url: str


@dataclass(frozen=True)
class Paid:
    """Money arrived for the payment with this key ('' when the payer named none)."""

    event_id: str
    key: str
    amount_minor: int
    currency: str
    payer_reference: str


@dataclass(frozen=True)
class PaymentFailed:
    key: str
    reason: str


@dataclass(frozen=True)
class Refunded:
    key: str


@dataclass(frozen=True)
class RefundFailed:
    key: str
    reason: str


@dataclass(frozen=True)
class PaidOut:
    key: str


@dataclass(frozen=True)
class PayoutFailed:
    key: str
    reason: str


@dataclass(frozen=True)
class Disputed:
    """The payer's bank contests the payment with this key."""

    key: str
    reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class DisputeClosed:
    reference: str
    is_lost: bool


Fact = Paid | PaymentFailed | Refunded | RefundFailed | PaidOut | PayoutFailed | Disputed | DisputeClosed


@dataclass(frozen=True)
class Movement:
    """One line of the gateway's own books, for reconciliation.

    `reference` is the gateway's own and once in its books, the event's id where the gateway told of it; `key` is ours,
    '' where it names none; `amount_minor` is negative for money that left; `booked_on` by the exchange's clock;
    `charged_for` is our key of the payment or other work that a charge was taken for, where the gateway says it.
    """

    reference: str
    key: str
    kind: MovementKind
    amount_minor: int
    currency: str
    booked_on: dt.date
    charged_for: str = ""


@dataclass(frozen=True)
class Bounds:
    """Which amounts of a currency a gateway takes, in minor units: from, up to, and whole multiples of what."""

    least_minor: int = 1
    most_minor: int = LARGEST_MINOR
    step_minor: int = 1


@dataclass(frozen=True)
class Capabilities:
    """What a gateway takes, which facts it reports (money that only comes, or does not, never fails), how soon.

    Where `takes_exact_sums` nobody can pay more or less than was asked. Where it `charges_us`, movements of kind FEE
    are what it keeps for its work. Where it `returns_to_payer`, a refund surely goes to who paid. A currency without
    `bounds` has none.
    """

    currencies: frozenset[str]
    moves_money: bool
    tells_of_failed_payments: bool = True
    is_contestable: bool = True
    takes_exact_sums: bool = False
    charges_us: bool = False
    returns_to_payer: bool = False
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    books_within_days: int = 1  # how long a movement may stand in one side's books alone


class Gateway(Protocol):
    """What every gateway can do. Raises TryLater when it cannot be reached; the caller backs off."""

    name: str

    def capabilities(self) -> Capabilities: ...

    def start(self, payment: Payment) -> Started:
        """Ask for the payment once per `payment.key`."""

    def stop(self, payment: Payment) -> None:
        """The trade was cancelled or lapsed: take no more money for this payment, if that is still possible."""

    def look_up(self, payment: Payment) -> Started | None:
        """What became of an earlier `start` with this key, or None."""

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Check the notice's signature and return the gateway's event id. Raises BadNotice."""

    def read(self, notice: Notice) -> Iterable[Fact]:
        """The facts a verified notice reports."""

    def check_account(self, reference: str, holder: Organisation | None = None) -> str:
        """The account money can be sent to, as it is kept; `holder` is whose it must be, where somebody's.

        Raises Invalid `wrong_account`, `country_not_served`.
        """

    def refund(self, refund: Refund) -> str:
        """Send money back once per `refund.key`; the gateway's reference."""

    def pay_out(self, payout: Payout, to: str) -> str:
        """Send money to a member's account `to`, once per `payout.key`; the gateway's reference."""

    def movements(self, day: dt.date) -> Iterable[Movement]:
        """The gateway's own books of one day by the exchange's clock, and what it told that day of days before.

        Never taken from our ledger: the two are compared.
        """


@cache
def gateway(name: str) -> Gateway:
    """The configured gateway of this name. Raises NoGateway."""
    if name not in settings.GATEWAYS:
        raise NoGateway(_("The gateway “%(name)s” is not configured."), name=name)
    driver: Gateway = import_string(settings.GATEWAYS[name])()
    return cast(Gateway, Metered(driver))


def default_gateway() -> str:
    """The gateway new payments go through. Raises NoGateway."""
    if not settings.DEFAULT_GATEWAY:
        raise NoGateway()
    return str(settings.DEFAULT_GATEWAY)
