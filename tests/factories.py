"""Makes what tests need, by walking the real commands."""

from __future__ import annotations

import io
import itertools
import json
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

from django.utils import timezone
from stdnum.cn import uscc

from compliance import checklists, declaration_text, dossier, exchange_rules, joint_members, reviews, verification
from compliance.models import Review
from listings import catalogue_entries, catalogue_files, offers, profiling, publishing, registration, terms, uploads
from listings.models import CatalogueEntry, Listing, Offer, Profile, Release, Version
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


def make_joint(name: str = "", *members: Organisation) -> Organisation:
    """A joint merchant that has not applied, with these members, each of which consented."""
    number_kind, number = registration_number("HK")
    joint = participants.register_organisation(
        kinds=["joint", "supplier"],
        name=name or f"Joint {number}",
        latin_name=name if name.isascii() and name else f"Joint {number}",
        country="HK",
        region=regions_of("HK")[0],
        number_kind=number_kind,
        registration_number=number,
        by=make_user(),
    )
    for member in members:
        row = joint_members.name(joint, member.public_id, by=owner_of(joint))
        joint_members.consent(row, by=owner_of(member))
    return joint


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


TOLD: dict[str, dict[str, Any]] = {
    "representative": {"name": "Wong Siu Ming", "position": "Director"},
    "activity": {
        "sector": "transport",
        "merchant_kinds": ["party"],
        "is_critical_operator": False,
        "is_listed_company": False,
    },
    "owners": {
        "owners": [{"name": "Wong Siu Ming", "country": "HK", "share_basis_points": 6000, "since": "2019-04-01"}],
    },
    "contacts": {
        "security_name": "Security desk",
        "security_email": "security@member.example",
        "privacy_name": "Privacy officer",
        "privacy_email": "privacy@member.example",
    },
}


def tell_all(organisation: Organisation) -> Organisation:
    """Everything an owner has to tell before the organisation can apply."""
    by = owner_of(organisation)
    for section, facts in TOLD.items():
        dossier.tell(organisation, section, facts, by=by)
    dossier.declare(
        organisation,
        text_version=declaration_text.CURRENT_VERSION,
        is_restricted=False,
        related_parties="",
        by=by,
    )
    return organisation


def make_applied(name: str = "", **facts: object) -> Organisation:
    """An organisation whose owner has applied and accepted the rules."""
    organisation = tell_all(make_organisation(name, **facts))
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


# --- listings ------------------------------------------------------------------------------------------------------

FLIGHTS_CSV = (
    b"year,month,day,carrier,flight,origin,dest,air_time\n"
    b"2013,1,1,UA,1545,EWR,IAH,227\n"
    b"2013,1,1,UA,1714,LGA,IAH,227\n"
    b"2013,1,1,AA,1141,JFK,MIA,160\n"
    b"2013,1,2,B6,725,JFK,BQN,183\n"
)


def manual(**changes: Any) -> dict[str, Any]:
    """A whole product manual but for its release; `changes` replace its fields."""
    claim = {"held": True, "basis": "Own collection", "evidence": "Collection record 12"}
    whole: dict[str, Any] = {
        "titles": {"en": "Departures of New York", "zh-hans": "纽约航班离港数据", "zh-hant": "紐約航班離港數據"},
        "summaries": {
            "en": "Every departure with airline and flying time.",
            "zh-hans": "逐班次的航空公司与飞行时长。",
            "zh-hant": "逐班次的航空公司與飛行時間。",
        },
        "sector": "transport",
        "coverage_from": "2013-01-01",
        "coverage_until": "2013-12-31",
        "coverage_area": {"en": "New York", "zh-hans": "纽约", "zh-hant": "紐約"},
        "update_frequency": "historical",
        "fields": [
            {"name": "carrier", "type": "text", "meaning": "Airline, two letters", "unit": ""},
            {"name": "air_time", "type": "integer", "meaning": "Time in the air", "unit": "minutes"},
        ],
        "use_scenarios": "Planning of routes and punctuality research.",
        "forbidden_uses": "Tracing single passengers.",
        "source_statement": "Collected from public records of the airports.",
        "lawful_basis": "open",
        "rights": {"holding": claim, "use": claim, "operation": claim},
        "classification": "general_1",
        "has_personal_data": False,
        "has_sensitive_data": False,
        "persons_count": 0,
        "leaves_mainland": True,
        "support_contact": "data@seller.example",
    }
    return whole | changes


# Reports by the digest of the release: what was measured once is not measured for every test.
_measured: dict[str, dict[str, Any]] = {}


def measure(release: Release) -> Release:
    """Let the worker measure a sealed release; one with the same files as an earlier one shares its report."""
    if release.digest in _measured:
        profile = Profile.claim_next(Profile.objects.filter(release=release))
        profiling.finish(profile, _measured[release.digest])
    else:
        while profiling.profile_next():
            pass
        profile = Profile.objects.get(release=release)
        while profile.claimed_until and profile.claimed_until > timezone.now():  # by a worker that runs beside the test
            time.sleep(0.1)
            profile.refresh_from_db()
        if profile.report:
            _measured[release.digest] = profile.report
    release.refresh_from_db()
    return release


def make_release(
    listing: Listing, *, files: dict[str, bytes] | None = None, label: str = "2026-11", is_profiled: bool = True
) -> Release:
    """A sealed release of these files (one small table by default), measured unless told otherwise."""
    by = owner_of(listing.seller)
    release = uploads.open_release(listing, label=label, by=by)
    for path, content in (files or {"flights.csv": FLIGHTS_CSV}).items():
        uploads.put_file(release, path=path, stream=io.BytesIO(content), by=by)
    release = uploads.seal_release(release, by=by)
    return measure(release) if is_profiled else release


def make_draft(
    seller: Organisation | None = None,
    *,
    product_type: str = "dataset",
    files: dict[str, bytes] | None = None,
    **changes: Any,
) -> Version:
    """A draft whose manual is whole and names a measured release; `changes` replace fields of the manual."""
    seller = seller or make_organisation()
    by = owner_of(seller)
    listing = publishing.create_listing(seller=seller, product_type=product_type, by=by)
    release = make_release(listing, files=files)
    return publishing.edit(publishing.draft(listing, by=by), by=by, **manual(**changes), release=release)


def make_offer(listing: Listing, **changes: Any) -> Offer:
    """An open offer to every member: 1,250.00 HKD, one year of internal use anywhere; `changes` replace its facts."""
    offer: dict[str, Any] = {
        "name": "Internal use, one year",
        "price_minor": 125_000,
        "currency": "HKD",
        "terms": terms.default_terms() | {"territory": ["*"]},
    }
    return offers.make_offer(listing, by=owner_of(listing.seller), **offer | changes)


def approve(review: Review, *, by: User) -> Review:
    """One of the staff approves, every item of the checklist answered yes."""
    return reviews.approve(review, answers=checklists.all_yes(reviews.checklist_of(review)), by=by)


def make_approved(version: Version) -> Version:
    """The draft, submitted and approved by two of the staff, not yet registered."""
    review = reviews.submit(version, by=owner_of(version.listing.seller))
    first, second = make_staff("review"), make_staff("review")
    reviews.take(review, by=first)
    approve(review, by=first)
    approve(review, by=second)
    version.refresh_from_db()
    return version


def make_listed_product(
    seller: Organisation | None = None, *, offer: dict[str, Any] | None = None, **changes: Any
) -> Listing:
    """A product on sale with one open offer; `offer` and `changes` as in make_offer and make_draft."""
    version = make_draft(seller or make_verified(), **changes)
    make_offer(version.listing, **offer or {})
    make_approved(version)
    registration.register_next()
    listing = version.listing
    listing.refresh_from_db()
    return listing


def make_entry(mark: str = "", **changes: str) -> CatalogueEntry:
    """What another exchange lists, read from a catalogue of one row."""
    row = {
        "title": "港口吞吐量月报" + mark,
        "description": "沿海港口的货物吞吐量。" + mark,
        "url": f"https://elsewhere.example/detail/{next(_counted)}",
        "provider": "海图数据有限公司" + mark,
        "category": "交通运输、仓储和邮政业",
        "type": "数据集",
        "price": "2元/次",
        "platform": "Elsewhere Data Exchange",
    } | changes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalogue.jsonl")
        path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
        told = catalogue_entries.read([catalogue_files.look(path)], is_partial=True)
    assert told.usable == 1, told.reasons
    return CatalogueEntry.objects.get(address=row["url"])
