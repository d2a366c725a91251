"""One table: which role may do which act. Buttons, API, docs and tests are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.act_words import ACTS
from marketplace.errors import RoleNeeded

if TYPE_CHECKING:
    from marketplace.models import Organisation, User


class Role(models.TextChoices):
    """What a person is in an organisation."""

    OWNER = "owner", _("Owner")
    TRADER = "trader", _("Trader")
    DATA_STEWARD = "data_steward", _("Data steward")
    FINANCE = "finance", pgettext_lazy("role", "Finance")
    COMPLIANCE = "compliance", _("Compliance")
    VIEWER = "viewer", _("Viewer")


class StaffRole(models.TextChoices):
    """What a person is at the exchange."""

    VETTING = "vetting", _("Vetting")
    REVIEW = "review", _("Review")
    PAYMENTS = "payments", _("Payments")
    DISPUTES = "disputes", _("Disputes")
    CLEARING = "clearing", _("Clearing")
    AUDIT = "audit", _("Audit")
    SUPPORT = "support", _("Support")
    ADMINISTRATOR = "administrator", _("Administrator")


OWNER, TRADER, STEWARD, FINANCE, COMPLIANCE = Role.OWNER, Role.TRADER, Role.DATA_STEWARD, Role.FINANCE, Role.COMPLIANCE

MEMBER_ACTS: dict[str, frozenset[Role]] = {
    "look": frozenset(Role),
    "manage_members": frozenset({OWNER}),
    "manage_tokens": frozenset({OWNER}),
    "apply": frozenset({OWNER}),
    "edit_listing": frozenset({OWNER, STEWARD, TRADER}),
    "submit": frozenset({OWNER, STEWARD}),
    "withdraw_listing": frozenset({OWNER, STEWARD}),
    "offer": frozenset({OWNER, TRADER}),
    "propose": frozenset({OWNER, TRADER}),
    "post_demand": frozenset({OWNER, TRADER, STEWARD}),
    "answer_demand": frozenset({OWNER, TRADER}),
    "agree": frozenset({OWNER, TRADER}),
    "decline": frozenset({OWNER, TRADER}),
    "cancel": frozenset({OWNER, TRADER}),
    "pay": frozenset({OWNER, TRADER, FINANCE}),
    "download": frozenset({OWNER, TRADER, STEWARD}),
    "accept": frozenset({OWNER, TRADER, STEWARD}),
    "dispute": frozenset({OWNER, TRADER, COMPLIANCE}),
    "see_money": frozenset({OWNER, FINANCE, TRADER, COMPLIANCE}),
    "manage_payout": frozenset({OWNER, FINANCE}),
    "split_revenue": frozenset({OWNER, FINANCE}),
    "choose_netting": frozenset({OWNER}),
}

S = StaffRole
STAFF_ACTS: dict[str, frozenset[StaffRole]] = {
    "vet": frozenset({S.VETTING}),
    "review": frozenset({S.REVIEW}),
    "note": frozenset({S.VETTING, S.REVIEW, S.PAYMENTS, S.DISPUTES, S.CLEARING, S.SUPPORT}),
    "hold": frozenset({S.VETTING, S.REVIEW, S.DISPUTES}),
    "suspend_listing": frozenset({S.REVIEW}),
    "decide_objection": frozenset({S.REVIEW, S.DISPUTES}),
    "hide_question": frozenset({S.REVIEW}),
    "decide_report": frozenset({S.REVIEW}),
    "match_demand": frozenset({S.SUPPORT}),
    "hide_demand": frozenset({S.REVIEW}),
    "withdraw_entry": frozenset({S.REVIEW}),
    "set_quota": frozenset({S.VETTING}),
    "resolve": frozenset({S.DISPUTES}),
    "match_payment": frozenset({S.PAYMENTS}),
    "confirm_account": frozenset({S.PAYMENTS}),
    "release_clearing": frozenset({S.CLEARING}),
    "excuse_default": frozenset({S.PAYMENTS, S.DISPUTES}),
    "explain_break": frozenset({S.PAYMENTS, S.CLEARING}),
    "set_fees": frozenset({S.CLEARING}),
    "set_reserve": frozenset({S.CLEARING}),
    "grant_netting": frozenset({S.CLEARING}),
    "set_tax": frozenset({S.CLEARING}),
    "revoke_paper": frozenset({S.REVIEW, S.CLEARING}),
    "announce": frozenset({S.SUPPORT, S.ADMINISTRATOR}),
    "try_again": frozenset({S.SUPPORT, S.PAYMENTS, S.CLEARING}),
    "manage_staff": frozenset({S.ADMINISTRATOR}),
    "forget": frozenset({S.ADMINISTRATOR}),
    "look_everywhere": frozenset({S.AUDIT, S.ADMINISTRATOR, S.SUPPORT}),
}

# Which of the staff sees which desk; the auditor and the administrator see all; they change
# nothing there, but that the administrator announces.
DESKS: dict[str, frozenset[StaffRole]] = {
    "organisations": frozenset({S.VETTING, S.SUPPORT}),
    "participants": frozenset({S.VETTING, S.REVIEW, S.PAYMENTS, S.DISPUTES, S.CLEARING, S.SUPPORT}),
    "reviews": frozenset({S.REVIEW}),
    "objections": frozenset({S.REVIEW, S.DISPUTES}),
    "reports": frozenset({S.REVIEW}),
    "questions": frozenset({S.REVIEW, S.SUPPORT}),
    "demands": frozenset({S.REVIEW, S.SUPPORT}),
    "payments": frozenset({S.PAYMENTS}),
    "disputes": frozenset({S.DISPUTES}),
    "clearing": frozenset({S.CLEARING}),
    "reconciliation": frozenset({S.PAYMENTS, S.CLEARING}),
    "trades": frozenset({S.VETTING, S.REVIEW, S.PAYMENTS, S.DISPUTES, S.CLEARING, S.SUPPORT}),
    "papers": frozenset({S.REVIEW, S.CLEARING}),
    "announcements": frozenset({S.SUPPORT}),
    "decisions": frozenset(),
    "stuck": frozenset({S.SUPPORT, S.PAYMENTS, S.CLEARING}),
}
SEES_EVERY_DESK = frozenset({S.AUDIT, S.ADMINISTRATOR})


def may(by: User | None, organisation: Organisation, act: str) -> bool:
    """Whether this person's role in this organisation allows the act."""
    if by is None or not by.is_active:
        return False
    role = by.role_in(organisation)
    return role is not None and role in MEMBER_ACTS[act]


def require(by: User | None, organisation: Organisation, act: str) -> None:
    """Raises RoleNeeded unless `by` may do `act` for `organisation`."""
    if not may(by, organisation, act):
        needed = ", ".join(sorted(str(role.label) for role in MEMBER_ACTS[act]))
        raise RoleNeeded(
            _("“%(act)s” for %(organisation)s needs one of these roles: %(needed)s."),
            act=ACTS[act],
            organisation=organisation,
            needed=needed,
        )


def staff_may(by: User | None, act: str) -> bool:
    """Whether this member of the exchange's staff may do the act."""
    return by is not None and by.is_active and by.is_staff and not STAFF_ACTS[act].isdisjoint(by.staff_roles)


def require_staff(by: User | None, act: str) -> None:
    """Raises RoleNeeded unless `by` is staff with a role for `act`."""
    if not staff_may(by, act):
        needed = ", ".join(sorted(str(role.label) for role in STAFF_ACTS[act]))
        raise RoleNeeded(_("“%(act)s” needs one of these staff roles: %(needed)s."), act=ACTS[act], needed=needed)


def sees_desk(by: User | None, desk: str) -> bool:
    """Whether this member of the staff sees the desk."""
    if by is None or not by.is_active or not by.is_staff:
        return False
    return not (DESKS[desk] | SEES_EVERY_DESK).isdisjoint(by.staff_roles)
