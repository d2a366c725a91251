"""Brings the demo's people and organisations onto the exchange, and keeps who they are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from compliance import declaration_text, dossier, exchange_rules, joint_members, tiers, verification
from compliance.models import Decision, Verification
from compliance.states import VerificationState
from marketplace import participants
from marketplace.demo.cast import HOUSES, PASSWORD, STAFF, House, Person
from marketplace.models import Organisation, User
from settlement import netting, payout_accounts, taxes
from settlement.models import PayoutAccount, TaxStatus


@cache
def _hashed() -> str:
    """The one password of everybody, hashed once: hashing is slow on purpose."""
    return make_password(PASSWORD)


@transaction.atomic
def person(one: Person, *, is_staff: bool = False) -> User:
    """The account of this person, made the first time it is asked for."""
    found = User.objects.filter(email=one.email).first()
    if found:
        return found
    user = User.objects.create_user(
        one.email, name=one.name, is_staff=is_staff, staff_roles=[one.role] if is_staff else []
    )
    user.password = _hashed()
    user.save(update_fields=["password"])
    EmailAddress.objects.create(user=user, email=one.email, verified=True, primary=True)
    return user


def staff() -> dict[str, User]:
    """The exchange's staff by the name before the @."""
    return {one.email.split("@")[0]: person(one, is_staff=True) for one in STAFF}


def house(one: House) -> Organisation:
    """The organisation, registered, with its people."""
    owner = person(one.people[0])
    organisation = Organisation.objects.filter(registration_number=one.registration_number).first()
    if organisation is None:
        organisation = participants.register_organisation(
            kinds=one.kinds,
            name=one.name,
            latin_name=one.latin_name,
            country=one.country,
            region=one.region,
            number_kind=one.number_kind,
            registration_number=one.registration_number,
            by=owner,
        )
    for other in one.people[1:]:
        user = person(other)
        if user.role_in(organisation) is None:
            _invitation, secret = participants.invite(organisation, email=other.email, role=other.role, by=owner)
            participants.accept_invitation(secret, by=user)
    return organisation


def house_of(organisation: Organisation) -> House:
    """Who it is in the cast."""
    return next(one for one in HOUSES if one.registration_number == organisation.registration_number)


def joined(joint: Organisation, members: Sequence[Organisation]) -> None:
    """The joint merchant names its members, and an owner of each consents; each once."""
    known = {row.member_id: row for row in joint_members.of(joint)}
    for member in members:
        row = known.get(member.pk) or joint_members.name(joint, member.public_id, by=joint.created_by)
        if row.consented_at is None:
            joint_members.consent(row, by=member.created_by)


def tiered(organisation: Organisation, staff: dict[str, User]) -> None:
    """The staff decide on its tier of membership, if the cast says one; once."""
    tier = house_of(organisation).tier
    if tier and tiers.tier_of(organisation) is None:
        reason = "Decided by the volume and the history of its first months. 按入会以来的交易量与记录评定。"
        tiers.decide(organisation, tier=tier, reason=reason, by=staff["vetting"])


def applied(organisation: Organisation) -> Verification:
    """Its application, filled in, declared and handed in by its owner."""
    found = Verification.objects.filter(organisation=organisation).first()
    if found is not None:
        return found
    owner, version = organisation.created_by, declaration_text.CURRENT_VERSION
    house = house_of(organisation)
    for section, facts in house.told().items():
        dossier.tell(organisation, section, facts, by=owner)
    dossier.declare(organisation, text_version=version, is_restricted=False, related_parties="", by=owner)
    return verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner)


def verified(organisation: Organisation, staff: dict[str, User]) -> None:
    """Two of the staff approve it; a seller then says where its money goes."""
    standing = applied(organisation)
    if standing.state == VerificationState.APPLIED:
        verification.confirm(approved_once(standing, staff), by=staff["vetting2"])
    if "supplier" in organisation.kinds and not PayoutAccount.objects.filter(organisation=organisation).exists():
        account = f"demo-{organisation.registration_number[-6:]}"
        paid_to(organisation, account, staff)
    if "supplier" in organisation.kinds and taxes.asks_status(organisation) and taxes.status_of(organisation) is None:
        taxes.state_status(organisation, TaxStatus.Status.GENERAL, by=organisation.created_by)
    if house_of(organisation).is_netted and netting.current(organisation) is None:
        asked = netting.ask(organisation, by=organisation.created_by)
        opinion = "Opinion of the exchange's counsel on close-out netting. 本所法律顾问关于终止净额结算可执行性的意见。"
        netting.grant(asked, opinion=opinion, by=staff["clearing"])


def approved_once(standing: Verification, staff: dict[str, User]) -> Decision:
    """The first of the staff says that it may be verified; once."""
    return standing.decisions.filter(decided_at=None, dropped_at=None).first() or verification.propose(
        standing,
        "approve",
        reason_code="checks_passed",
        reason=(
            "The register, the legal representative and the bank account were checked."
            " 已核实登记信息、法定代表人和银行账户。"
        ),
        by=staff["vetting"],
    )


@transaction.atomic
def paid_to(organisation: Organisation, reference: str, staff: dict[str, User]) -> None:
    """The owner names where the money goes; a colleague confirms it, or the exchange where there is none."""
    account = payout_accounts.name(
        organisation, gateway_name=str(settings.DEFAULT_GATEWAY), reference=reference, by=organisation.created_by
    )
    members = [row.user for row in organisation.memberships.filter(ended_at=None).select_related("user")]
    colleague = next((one for one in members if payout_accounts.may_confirm(account, one)), staff["payments"])
    payout_accounts.confirm(account, by=colleague)
