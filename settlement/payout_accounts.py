"""Where a member's money goes: an account is named by one person, confirmed by another, and serves after a wait.

The second person is another owner or finance member; where the organisation has nobody else, one of the exchange's
payments staff. A first account serves at once when it is confirmed; a later one after PAYOUT_ACCOUNT_WAIT_HOURS, in
which the account before it serves and any owner can stop the change. Every owner is told of each step.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from compliance.verification import SamePerson
from marketplace import clock, joint_merchants, journal, notifications, roles
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Membership, Organisation, User
from marketplace.roles import MEMBER_ACTS
from settlement.gateways import gateway
from settlement.models import PayoutAccount

LONGEST_REFERENCE_CHARACTERS = 120


def serving() -> QuerySet[PayoutAccount]:
    """Accounts that were confirmed, whose wait is over and that were not dropped; an organisation's newest counts."""
    return PayoutAccount.objects.filter(effective_at__lte=clock.now(), dropped_at=None)


def account_of(organisation: Organisation) -> PayoutAccount | None:
    """The account that payouts to this organisation use now."""
    return serving().filter(organisation=organisation).order_by("-effective_at", "-pk").first()


def coming(organisation: Organisation) -> PayoutAccount | None:
    """The account that was named and does not serve yet: it waits for its second person, or for its time."""
    rows = PayoutAccount.objects.filter(organisation=organisation, dropped_at=None).select_related("by", "confirmed_by")
    return rows.exclude(effective_at__lte=clock.now()).first()


def waiting_for_staff() -> QuerySet[PayoutAccount]:
    """Accounts to confirm whose organisation has nobody but the one who named it."""
    others = _others(OuterRef("organisation"), OuterRef("by"))
    return PayoutAccount.objects.filter(~Exists(others), confirmed_at=None, dropped_at=None)


def _others(organisation: Any, by: Any) -> QuerySet[Membership]:
    """Who of the organisation, but this person, may confirm its accounts."""
    may = Membership.objects.filter(ended_at=None, role__in=MEMBER_ACTS["manage_payout"], user__is_active=True)
    return may.filter(organisation=organisation).exclude(user=by)


@transaction.atomic
def name(organisation: Organisation, *, gateway_name: str, reference: str, by: User) -> PayoutAccount:
    """Name the account the money should go to; it serves once another person confirmed it and its wait is over.

    Raises RoleNeeded, NoGateway, Invalid `wrong_account`, `country_not_served`, Refused `account_waits`.
    """
    roles.require(by, organisation, "manage_payout")
    driver = gateway(gateway_name)
    reference = reference.strip()
    if not reference or not reference.isprintable():  # a sign that turns writing around would show another account
        raise Invalid(_("Name the account the money goes to, in one line."), code="wrong_account")
    reference = driver.check_account(reference, organisation)
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if coming(organisation) is not None:
        raise Refused(
            _("Another account was named and does not serve yet."),
            code="account_waits",
            next=_("Confirm it, wait for its time, or drop it first."),
        )
    try:
        with transaction.atomic():
            account = PayoutAccount.objects.create(
                organisation=organisation,
                gateway=gateway_name,
                reference=reference[:LONGEST_REFERENCE_CHARACTERS],
                by=by,
            )
    except IntegrityError as clash:  # the lock above stands before it
        raise WrongState(_("Another account was named at the same moment.")) from clash
    journal.record("payout_account.named", account, by=by, organisation=organisation.pk, gateway=gateway_name)
    _tell_owners("payout_account.named", account, by)
    return account


@transaction.atomic
def confirm(account: PayoutAccount, *, by: User) -> PayoutAccount:
    """The second person confirms it: a first account serves at once, another after its wait.

    Raises RoleNeeded, SamePerson, WrongState.
    """
    account = _locked(account)
    if account.confirmed_at is not None:
        raise WrongState(_("This account was confirmed already."))
    if account.by_id == by.pk:
        raise SamePerson()
    if not roles.may(by, account.organisation, "manage_payout"):
        _require_staff_may(account, by)
    now = clock.now()
    is_first = not PayoutAccount.objects.filter(
        organisation=account.organisation, effective_at__lte=now, dropped_at=None
    ).exists()
    wait = dt.timedelta() if is_first else dt.timedelta(hours=settings.PAYOUT_ACCOUNT_WAIT_HOURS)
    account.confirmed_by, account.confirmed_at, account.effective_at = by, now, now + wait
    account.save(update_fields=["confirmed_by", "confirmed_at", "effective_at"])
    journal.record(
        "payout_account.confirmed", account, by=by, organisation=account.organisation_id,
        effective_at=account.effective_at.isoformat(),
    )  # fmt: skip
    _tell_owners("payout_account.confirmed", account, by)
    return account


@transaction.atomic
def drop(account: PayoutAccount, *, by: User) -> PayoutAccount:
    """Stop an account that does not serve yet: whoever may name one may, and the payments staff.

    Raises RoleNeeded, WrongState.
    """
    account = _locked(account)
    if not roles.may(by, account.organisation, "manage_payout"):
        roles.require_staff(by, "confirm_account")
    now = clock.now()
    if account.effective_at is not None and account.effective_at <= now:
        raise WrongState(_("This account serves already."), next=_("Name another account."))
    account.dropped_by, account.dropped_at = by, now
    account.save(update_fields=["dropped_by", "dropped_at"])
    journal.record("payout_account.dropped", account, by=by, organisation=account.organisation_id)
    _tell_owners("payout_account.dropped", account, by)
    return account


def may_confirm(account: PayoutAccount, by: User) -> bool:
    """Whether this person can be the second one."""
    if account.confirmed_at is not None or account.by_id == by.pk:
        return False
    return roles.may(by, account.organisation, "manage_payout") or (
        roles.staff_may(by, "confirm_account") and not _has_another(account)
    )


def _require_staff_may(account: PayoutAccount, by: User) -> None:
    """Staff stand in only where the organisation has nobody else, and never for their own."""
    roles.require_staff(by, "confirm_account")
    if joint_merchants.has_interest(by, account.organisation_id):
        raise RoleNeeded(
            _("You belong or belonged to this organisation."),
            code="own_organisation",
            next=_("Let a colleague who does not confirm it."),
        )
    if _has_another(account):
        raise RoleNeeded(
            _("The organisation has a second person of its own."),
            code="member_confirms",
            next=_("Another of its owners or finance members confirms it."),
        )


def _has_another(account: PayoutAccount) -> bool:
    """Whether somebody else in the organisation may confirm it."""
    return _others(account.organisation_id, account.by_id).exists()


def _locked(account: PayoutAccount) -> PayoutAccount:
    """The account that was neither dropped nor overtaken, with its organisation locked."""
    Organisation.objects.select_for_update(no_key=True).get(pk=account.organisation_id)
    account = (
        PayoutAccount.objects.select_for_update(of=("self",))
        .select_related("organisation", "by", "confirmed_by")
        .get(pk=account.pk)
    )
    if account.dropped_at is not None:
        raise WrongState(_("This account was dropped."))
    return account


def _tell_owners(kind: str, account: PayoutAccount, by: User) -> None:
    """Every owner, whoever did it."""
    facts = {
        "organisation": account.organisation,
        "account": f"{account.gateway} {account.reference}",
        "named_by": str(account.by),
        "by": str(by),
        "at": account.effective_at or "",
    }
    path = reverse("money") + "#account"
    notifications.tell(kind, organisation=account.organisation_id, path=path, facts=facts, by=by)
