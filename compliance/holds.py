"""Compliance holds on an organisation, a listing or a trade: placed, lifted, and for how long they lasted.

A hold is a row, not a state. A suspended or expelled organisation counts as held, for as long as it is; and what
lies on a member of a joint merchant lies on the joint merchant, as long as it is a member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Protocol

from django.db import IntegrityError, connection, transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from compliance.models import Decision, Hold
from compliance.reasons import require_reason, require_sentence
from compliance.states import VerificationState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import JointMember, Organisation, User

HELD_STATES = [VerificationState.SUSPENDED, VerificationState.EXPELLED]

Subject = tuple[str, int]  # ("organisation" | "listing" | "trade", its id)

# Every step of every trade asks this, so its text is ready: making it from querysets took longer than answering it.
_LYING_ON = """
    SELECT subject_kind, subject_id FROM compliance_hold
     WHERE lifted_at IS NULL
       AND (subject_kind = 'organisation' AND subject_id = ANY(%(organisations)s)
            OR subject_kind = 'listing' AND subject_id = ANY(%(listings)s)
            OR subject_kind = 'trade' AND subject_id = ANY(%(trades)s))
     UNION ALL
    SELECT 'organisation', organisation_id FROM compliance_verification
     WHERE organisation_id = ANY(%(organisations)s) AND state = ANY(%(barred)s)
     UNION ALL
    SELECT 'organisation', named.joint_id FROM marketplace_jointmember AS named
     WHERE named.joint_id = ANY(%(organisations)s) AND named.consented_at IS NOT NULL AND named.withdrawn_at IS NULL
       AND (EXISTS (SELECT FROM compliance_hold
                     WHERE subject_kind = 'organisation' AND subject_id = named.member_id AND lifted_at IS NULL)
            OR EXISTS (SELECT FROM compliance_verification
                        WHERE organisation_id = named.member_id AND state = ANY(%(barred)s)))
"""


class TradeLike(Protocol):
    """What a hold may lie on in a trade."""

    @property
    def pk(self) -> int: ...
    @property
    def listing_id(self) -> int: ...
    @property
    def buyer_id(self) -> int: ...
    @property
    def seller_id(self) -> int: ...


@transaction.atomic
def place(subject_kind: str, subject_id: int, *, reason_code: str, reason: str, by: User) -> Hold:
    """Hold an organisation, a listing or a trade. Everything that goes forward stands still; refunds do not.

    That a trade exists is for the caller to know. Raises RoleNeeded, Invalid, Refused `already_held`.
    """
    roles.require_staff(by, "hold")
    reason = require_reason("hold", reason_code, reason)
    _require_no_own_interest(subject_kind, subject_id, by)
    try:
        with transaction.atomic():
            hold = Hold.objects.create(
                subject_kind=subject_kind, subject_id=subject_id, reason_code=reason_code, reason=reason, placed_by=by
            )
    except IntegrityError as clash:
        if "one_open_hold" not in str(clash):
            raise
        raise Refused(
            _("It is held already."), code="already_held", next=_("Lift the hold that lies on it, or leave it.")
        ) from clash
    journal.record(
        "hold.placed", hold, by=by, subject_kind=subject_kind, subject_id=subject_id, reason_code=reason_code
    )
    return hold


@transaction.atomic
def lift(hold: Hold, *, reason: str, by: User) -> Hold:
    """Lift a hold; deadlines go on from where they stood. Raises RoleNeeded, Invalid, WrongState."""
    roles.require_staff(by, "hold")
    reason = require_sentence(reason)
    hold = Hold.objects.select_for_update().get(pk=hold.pk)
    if hold.lifted_at:
        raise WrongState(_("This hold was lifted already."))
    _require_no_own_interest(hold.subject_kind, hold.subject_id, by)
    hold.lifted_at, hold.lifted_by, hold.lift_reason = clock.now(), by, reason
    hold.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    journal.record("hold.lifted", hold, by=by, subject_kind=hold.subject_kind, subject_id=hold.subject_id)
    return hold


def _require_no_own_interest(subject_kind: str, subject_id: int, by: User) -> None:
    """The staff neither hold nor release what belongs to an organisation they are members of."""
    if subject_kind == Hold.Subject.ORGANISATION:
        organisations: QuerySet[Organisation] = Organisation.objects.filter(pk=subject_id)
    elif subject_kind == Hold.Subject.LISTING:
        organisations = Organisation.objects.filter(listings=subject_id)
    elif subject_kind == Hold.Subject.TRADE:
        return
    else:
        raise Invalid(
            _("A hold lies on one of: %(known)s."), code="no_such_subject", known=", ".join(Hold.Subject.values)
        )
    if not organisations.exists():
        raise Invalid(_("There is no such %(subject_kind)s."), code="no_such_subject", subject_kind=subject_kind)
    if any(joint_merchants.has_interest(by, organisation.pk) for organisation in organisations):
        raise RoleNeeded(
            _("You belong to this organisation."),
            code="own_organisation",
            next=_("Let a colleague who does not decide."),
        )


# --- what is held now ----------------------------------------------------------------------------------------------


def lying_on(
    *, organisations: Collection[int] = (), listings: Collection[int] = (), trades: Collection[int] = ()
) -> list[Subject]:
    """Which of these are held now, suspended and expelled organisations included. One statement."""
    given = {"organisations": list(organisations), "listings": list(listings), "trades": list(trades)}
    with connection.cursor() as cursor:
        cursor.execute(_LYING_ON, {**given, "barred": [state.value for state in HELD_STATES]})
        return [(str(kind), int(subject)) for kind, subject in cursor.fetchall()]


def _as_subjects(members: QuerySet[JointMember]) -> QuerySet[JointMember, tuple[str, int]]:
    """The joint merchants of these members, as what a hold may lie on."""
    kind = Value(Hold.Subject.ORGANISATION.value, output_field=CharField())
    return members.order_by().annotate(kind=kind).values_list("kind", "joint_id")


def held_trade_ids(trades: Iterable[TradeLike]) -> set[int]:
    """The ids of those trades on which, or on whose listing, buyer or seller, a hold lies. One statement."""
    return set(holding(trades))


def holding(trades: Iterable[TradeLike]) -> dict[int, set[Subject]]:
    """By the id of each held trade what of it is held: itself, its listing, buyer or seller. One statement."""
    trades = list(trades)
    held = set(
        lying_on(
            organisations={trade.buyer_id for trade in trades} | {trade.seller_id for trade in trades},
            listings={trade.listing_id for trade in trades},
            trades={trade.pk for trade in trades},
        )
    )
    return {trade.pk: held & _subjects(trade) for trade in trades if not held.isdisjoint(_subjects(trade))}


def ever_held_trade_ids(trades: Iterable[TradeLike]) -> set[int]:
    """The ids of those trades on which, or on whose parts, a hold or suspension lies or ever lay. Two statements."""
    trades = list(trades)
    organisations = {trade.buyer_id for trade in trades} | {trade.seller_id for trade in trades}
    holds = Hold.objects.filter(
        Q(subject_kind=Hold.Subject.ORGANISATION, subject_id__in=organisations)
        | Q(subject_kind=Hold.Subject.LISTING, subject_id__in={trade.listing_id for trade in trades})
        | Q(subject_kind=Hold.Subject.TRADE, subject_id__in={trade.pk for trade in trades})
    )
    lay = Hold.objects.filter(subject_kind=Hold.Subject.ORGANISATION, subject_id=OuterRef("member"))
    out = Decision.objects.filter(
        verification__organisation=OuterRef("member"), act__in=["suspend", "expel"], decided_at__isnull=False
    )
    joint = JointMember.objects.filter(Exists(lay) | Exists(out), joint__in=organisations, consented_at__isnull=False)
    ever = set(holds.values_list("subject_kind", "subject_id").union(_as_subjects(joint), all=True))
    suspended = Decision.objects.filter(
        verification__organisation__in=organisations, act__in=["suspend", "expel"], decided_at__isnull=False
    )
    ever |= {("organisation", pk) for pk in suspended.values_list("verification__organisation_id", flat=True)}
    return {trade.pk for trade in trades if not ever.isdisjoint(_subjects(trade))}


def _subjects(trade: TradeLike) -> set[Subject]:
    """What a hold on this trade may lie on."""
    return {
        ("trade", trade.pk),
        ("listing", trade.listing_id),
        ("organisation", trade.buyer_id),
        ("organisation", trade.seller_id),
    }


# --- for how long --------------------------------------------------------------------------------------------------


def held_time(subjects: Iterable[Subject], since: dt.datetime, until: dt.datetime) -> dt.timedelta:
    """How long between two moments at least one of the subjects was held; time to come is not held yet."""
    subjects = list(subjects)
    until = min(until, clock.now())
    spans = [*_holds(subjects, until), *_suspensions(subjects, until), *_of_joint_members(subjects, until)]
    total = dt.timedelta()
    end = since
    for begun, ended in sorted(spans):
        begun, ended = max(begun, end), min(ended, until)
        if ended > begun:
            total += ended - begun
            end = ended
    return total


def _of_joint_members(subjects: list[Subject], until: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    """What lay on a member of a joint merchant among the subjects, while it was a member."""
    joint = [pk for kind, pk in subjects if kind == Hold.Subject.ORGANISATION]
    found = []
    for row in JointMember.objects.filter(joint__in=joint, consented_at__isnull=False):
        member: list[Subject] = [(Hold.Subject.ORGANISATION.value, row.member_id)]
        first, last = row.consented_at or until, row.withdrawn_at or until
        spans = [*_holds(member, until), *_suspensions(member, until)]
        found += [(max(begun, first), min(ended, last)) for begun, ended in spans]
    return found


def _holds(subjects: list[Subject], until: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    wanted = Q(pk__in=[])
    for kind, pk in subjects:
        wanted |= Q(subject_kind=kind, subject_id=pk)
    rows = Hold.objects.filter(wanted, placed_at__lt=until).values_list("placed_at", "lifted_at")
    return [(placed_at, lifted_at or until) for placed_at, lifted_at in rows]


def _suspensions(subjects: list[Subject], until: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    """From each suspension (or expulsion) to the reinstatement that followed."""
    organisations = [pk for kind, pk in subjects if kind == Hold.Subject.ORGANISATION]
    decided = (
        Decision.objects.filter(
            verification__organisation__in=organisations,
            act__in=["suspend", "reinstate", "expel"],
            decided_at__lt=until,
        )
        .order_by("decided_at", "pk")
        .values_list("verification_id", "act", "decided_at")
    )
    began: dict[int, dt.datetime] = {}
    spans: list[tuple[dt.datetime, dt.datetime]] = []
    for verification, act, decided_at in decided:
        moment = decided_at or until  # asked for above: never empty
        if act == "reinstate" and verification in began:
            spans.append((began.pop(verification), moment))
        elif act != "reinstate":
            began.setdefault(verification, moment)
    return [*spans, *((start, until) for start in began.values())]
