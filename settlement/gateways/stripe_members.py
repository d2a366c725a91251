"""Members who are paid through Stripe: who can be, and which account is whose. Stripe itself is not asked here.

Countries: those in which docs.stripe.com/connect/express-accounts lets a platform open one.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid
from marketplace.models import Organisation
from marketplace.regions import COUNTRY_NAMES
from settlement.models import StripeAccount

SERVED = frozenset(
    """
    AE AT AU BE BG BR CA CH CY CZ DE DK EE ES FI FR GB GI GR HK HR HU IE IT JP LI LT LU LV MT MX MY NL NO NZ PL PT RO SE
    SG SI SK TH US
    """.split()  # noqa: SIM905  a long list reads better as words
)


@dataclass(frozen=True)
class Standing:
    """What an account can do now."""

    takes_transfers: bool
    pays_out: bool


def require_served(organisation: Organisation) -> None:
    """Stripe opens accounts where this member has its seat. Raises Invalid `country_not_served`."""
    if organisation.country in SERVED:
        return
    raise Invalid(
        _("Stripe pays no members in %(place)s."),
        code="country_not_served",
        next=_("Name an account at a bank: the exchange pays you by bank transfer.")
        if "bank" in settings.GATEWAYS
        else _("Ask the exchange how it can pay you."),
        place=COUNTRY_NAMES[organisation.country],
    )


def require_payee(organisation: Organisation, reference: str) -> None:
    """The member's own account, which takes transfers. Raises Invalid as `require_served`, or `wrong_account`."""
    require_served(organisation)
    account = StripeAccount.objects.filter(organisation=organisation, reference=reference).first()
    if account is None:
        raise Invalid(
            _("This is not your organisation's account at Stripe."),
            code="wrong_account",
            next=_("Open one from the page of your money, and name that."),
        )
    if not account.takes_transfers:
        raise Invalid(
            _("Stripe does not let this account take money yet."),
            code="wrong_account",
            next=_("Give Stripe what it still asks for, from the page of your money."),
        )
