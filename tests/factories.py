"""Makes what tests need, by walking the real commands."""

from __future__ import annotations

import itertools
import secrets

from stdnum.cn import uscc

from compliance import exchange_rules, verification
from marketplace import participants
from marketplace.models import Membership, Organisation, User
from marketplace.regions import regions_of
from marketplace.roles import Role, StaffRole

_counted = itertools.count(1)


def make_user(email: str = "", *, name: str = "") -> User:
    """A person who belongs to nothing yet."""
    email = email or f"person-{secrets.token_hex(4)}@example.com"
    return User.objects.create_user(email, name=name)


def make_staff(*roles: str, email: str = "") -> User:
    """One of the exchange's staff, with these staff roles."""
    email = email or f"{'-'.join(roles) or 'staff'}-{secrets.token_hex(4)}@exchange.example"
    return User.objects.create_user(email, is_staff=True, staff_roles=[StaffRole(role).value for role in roles])


def registration_number(country: str) -> tuple[str, str]:
    """A fresh kind and number of registration that passes its checks."""
    number = next(_counted) + secrets.randbelow(10**6) * 1000
    if country == "CN":
        body = f"91310115{number % 10**9:09d}"
        return "uscc", body + uscc.calc_check_digit(body)
    return ("hk_br", f"{number % 10**8 or 1:08d}") if country == "HK" else ("other", f"R {number}")


def make_organisation(name: str = "", *, country: str = "HK", owner: User | None = None) -> Organisation:
    """A registered organisation that has not applied; `owner` (or a new person) is its owner."""
    number_kind, number = registration_number(country)
    name = name or f"Organisation {number}"
    return participants.register_organisation(
        kinds=["supplier", "buyer"],
        name=name,
        latin_name=name if name.isascii() else f"Organisation {number}",
        country=country,
        region="CN-SH" if country == "CN" else regions_of(country)[0],
        number_kind=number_kind,
        registration_number=number,
        by=owner or make_user(),
    )


def owner_of(organisation: Organisation) -> User:
    """Its first owner."""
    return organisation.memberships.filter(role=Role.OWNER, ended_at=None).order_by("pk").first().user


def make_member(organisation: Organisation, role: str, email: str = "") -> User:
    """A person who was invited in this role and joined."""
    person = make_user(email)
    _invitation, secret = participants.invite(organisation, email=person.email, role=role, by=owner_of(organisation))
    participants.accept_invitation(secret, by=person)
    return person


def membership_of(person: User, organisation: Organisation) -> Membership:
    return Membership.objects.get(user=person, organisation=organisation, ended_at=None)


def make_applied(name: str = "", **facts: object) -> Organisation:
    """An organisation whose owner has applied and accepted the rules."""
    organisation = make_organisation(name, **facts)
    verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner_of(organisation))
    return organisation


def make_verified(name: str = "", **facts: object) -> Organisation:
    """An organisation that two of the staff approved."""
    organisation = make_applied(name, **facts)
    first, second = make_staff("vetting"), make_staff("vetting")
    decision = verification.propose(
        organisation.verification, "approve", reason_code="checks_passed", reason="Checked the register.", by=first
    )
    verification.confirm(decision, by=second)
    organisation.verification.refresh_from_db()
    return organisation
