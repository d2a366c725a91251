"""What an organisation tells of itself, what is missing before it applies, and how verified facts change."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from compliance import declaration_text, dossier, exchange_rules, fact_changes, verification
from compliance.models import Declaration, DossierSection, FactChange, Verification
from marketplace import journal
from marketplace.errors import Invalid, Refused, RoleNeeded, WrongState
from marketplace.models import Organisation
from marketplace.organisation_facts import FIELDS
from tests.factories import (
    TOLD,
    make_applied,
    make_member,
    make_organisation,
    make_staff,
    make_verified,
    owner_of,
    registration_number,
    tell_all,
)
from tests.races import together

pytestmark = pytest.mark.django_db


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def identity(organisation: Organisation, **changes: object) -> dict[str, object]:
    return {field: getattr(organisation, field) for field in FIELDS} | changes


def missing_fields(organisation: Organisation) -> list[str]:
    return [reason["field"] for reason in dossier.missing(organisation)]


def owner(country: str, share: int, since: str) -> dict[str, object]:
    return {"name": "A B", "country": country, "share_basis_points": share, "since": since}


def test_what_is_missing_is_told_and_nobody_applies_with_it():
    organisation = make_organisation()
    owner = owner_of(organisation)
    assert missing_fields(organisation) == [
        "representative.name",
        "representative.position",
        "activity.sector",
        "activity.merchant_kinds",
        "activity.is_critical_operator",
        "activity.is_listed_company",
        "owners.owners",
        "contacts.security_name",
        "contacts.security_email",
        "contacts.privacy_name",
        "contacts.privacy_email",
        "declaration",
    ]
    with pytest.raises(Invalid) as refusal:
        verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner)
    assert refusal.value.code == "application_incomplete"
    assert len(refusal.value.reasons) == 12
    assert not Verification.objects.exists()
    tell_all(organisation)
    assert missing_fields(organisation) == []


def test_a_listed_company_says_where_it_is_listed():
    organisation = make_organisation()
    dossier.tell(organisation, "activity", TOLD["activity"] | {"is_listed_company": True}, by=owner_of(organisation))
    assert "activity.listed_at" in missing_fields(organisation)


@pytest.mark.parametrize(
    ("section", "facts", "field"),
    [
        ("activity", {"sector": "magic"}, "sector"),
        ("activity", {"merchant_kinds": ["wizard"]}, "merchant_kinds"),
        ("activity", {"is_critical_operator": "perhaps"}, "is_critical_operator"),
        ("contacts", {"security_email": "nobody"}, "security_email"),
        ("representative", {"name": "x" * 201}, "name"),
        ("owners", {"owners": [owner("XX", 1, "2020-01-01")]}, "owners"),
        ("owners", {"owners": [owner("HK", 1, "2999-01-01")]}, "owners"),
        ("owners", {"owners": [owner("HK", 10001, "2020-01-01")]}, "owners"),
        ("owners", {"owners": [owner("HK", 6000, "2020-01-01")] * 2}, "owners"),
        ("owners", {"owners": [owner("HK", 6000, "2020-01-01")], "has_none": True}, "has_none"),
        ("owners", {"owners": "everybody"}, "owners"),
    ],
)
def test_a_fact_that_cannot_be_used_is_named_and_nothing_is_saved(section, facts, field):
    organisation = make_organisation()
    with pytest.raises(Invalid) as refusal:
        dossier.tell(organisation, section, facts, by=owner_of(organisation))
    assert field in [reason["field"] for reason in refusal.value.reasons]
    assert not DossierSection.objects.exists()


def test_only_owners_tell_and_declare():
    organisation = make_organisation()
    viewer = make_member(organisation, "viewer")
    with pytest.raises(RoleNeeded):
        dossier.tell(organisation, "contacts", TOLD["contacts"], by=viewer)
    with pytest.raises(RoleNeeded):
        dossier.declare(
            organisation,
            text_version=declaration_text.CURRENT_VERSION,
            is_restricted=False,
            related_parties="",
            by=viewer,
        )
    assert not DossierSection.objects.exists()
    assert not Declaration.objects.exists()


def test_a_declaration_keeps_who_when_and_the_digest_of_its_text():
    organisation = tell_all(make_organisation())
    kept = Declaration.objects.get()
    assert (kept.by, kept.text_version, kept.is_restricted) == (owner_of(organisation), "2026-11", False)
    assert kept.text_digest == declaration_text.digest("2026-11")
    with pytest.raises(Invalid) as refusal:
        dossier.declare(
            organisation, text_version="1999", is_restricted=False, related_parties="", by=owner_of(organisation)
        )
    assert refusal.value.code == "declaration_outdated"
    assert Declaration.objects.count() == 1


def test_facts_stand_still_while_they_are_vetted():
    organisation = make_applied()
    with pytest.raises(WrongState) as refusal:
        dossier.tell(organisation, "contacts", TOLD["contacts"] | {"security_phone": "1"}, by=owner_of(organisation))
    assert refusal.value.code == "facts_are_vetted"
    assert not FactChange.objects.exists()


def test_a_verified_fact_stands_until_the_staff_confirm_its_change():
    organisation = make_verified()
    owner, officer = owner_of(organisation), make_staff("vetting")
    new = TOLD["contacts"] | {"security_name": "Night desk"}
    change = dossier.tell(organisation, "contacts", new, by=owner)
    assert change is not None
    assert (change.before["security_name"], change.after["security_name"]) == ("Security desk", "Night desk")
    assert dossier.facts_of(organisation)["contacts"]["security_name"] == "Security desk"
    fact_changes.confirm(change, by=officer)
    assert dossier.facts_of(organisation)["contacts"]["security_name"] == "Night desk"
    change.refresh_from_db()
    assert (change.outcome, change.by, change.second_by) == ("confirmed", officer, None)
    assert list(journal.of(organisation).values_list("kind", flat=True))[-2:] == [
        "facts.change_asked",
        "facts.changed",
    ]


def test_a_change_of_identity_takes_two_people():
    organisation = make_verified("Lakeside Research")
    change = dossier.tell(organisation, "identity", identity(organisation, name="Seaside"), by=owner_of(organisation))
    first, second = make_staff("vetting"), make_staff("vetting")
    fact_changes.confirm(change, by=first)
    organisation.refresh_from_db()
    assert organisation.name == "Lakeside Research"
    with pytest.raises(verification.SamePerson):
        fact_changes.confirm(change, by=first)
    organisation.refresh_from_db()
    assert organisation.name == "Lakeside Research"
    fact_changes.confirm(change, by=second)
    organisation.refresh_from_db()
    assert organisation.name == "Seaside"
    change.refresh_from_db()
    assert (change.by, change.second_by, change.outcome) == (first, second, "confirmed")


def test_a_refused_change_says_why_and_changes_nothing():
    organisation = make_verified()
    change = dossier.tell(
        organisation, "representative", {"name": "Somebody", "position": "Chair"}, by=owner_of(organisation)
    )
    fact_changes.refuse(change, reason="The register names another.", by=make_staff("vetting"))
    change.refresh_from_db()
    assert (change.outcome, change.reason) == ("refused", "The register names another.")
    assert dossier.facts_of(organisation)["representative"]["name"] == "Wong Siu Ming"
    with pytest.raises(WrongState):
        fact_changes.confirm(change, by=make_staff("vetting"))


def test_one_change_of_a_section_waits_at_a_time_and_may_be_withdrawn():
    organisation = make_verified()
    owner = owner_of(organisation)
    change = dossier.tell(organisation, "bank", {"holder": "We", "bank": "HSBC", "reference": "1"}, by=owner)
    with pytest.raises(Refused) as refusal:
        dossier.tell(organisation, "bank", {"holder": "We", "bank": "HSBC", "reference": "2"}, by=owner)
    assert refusal.value.code == "change_pending"
    assert FactChange.objects.count() == 1
    fact_changes.withdraw(change, by=owner)
    assert dossier.tell(organisation, "bank", {"holder": "We", "reference": "2"}, by=owner)
    with pytest.raises(Invalid) as refusal:
        dossier.tell(organisation, "contacts", TOLD["contacts"], by=owner)
    assert refusal.value.code == "nothing_changed"


def test_nobody_decides_on_facts_of_an_organisation_they_belong_to():
    organisation = make_verified()
    insider = make_staff("vetting")
    organisation.memberships.create(user=insider, role="viewer")
    change = dossier.tell(organisation, "bank", {"holder": "We"}, by=owner_of(organisation))
    with pytest.raises(RoleNeeded) as refusal:
        fact_changes.confirm(change, by=insider)
    assert refusal.value.code == "own_organisation"
    change.refresh_from_db()
    assert (change.by, change.outcome) == (None, "")


def refused_by_database(write) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        write()


def test_the_database_refuses_silent_changes_of_vetted_facts():
    organisation = make_verified("Lakeside Research")
    row = DossierSection.objects.get(organisation=organisation, section="contacts")
    refused_by_database(lambda: DossierSection.objects.filter(pk=row.pk).update(facts={"security_name": "x"}))
    refused_by_database(lambda: Organisation.objects.filter(pk=organisation.pk).update(name="Another"))
    refused_by_database(lambda: Organisation.objects.filter(pk=organisation.pk).update(registration_number="1"))
    refused_by_database(
        lambda: DossierSection.objects.create(
            organisation=organisation, section="bank", facts={}, saved_by=owner_of(organisation)
        )
    )
    organisation.refresh_from_db()
    row.refresh_from_db()
    assert organisation.name == "Lakeside Research"
    assert row.facts["security_name"] == "Security desk"


def test_the_database_refuses_one_person_where_two_are_needed_and_second_thoughts():
    organisation = make_verified()
    officer = make_staff("vetting")
    change = dossier.tell(organisation, "identity", identity(organisation, name="Seaside"), by=owner_of(organisation))
    decided = {"outcome": "confirmed", "decided_at": change.asked_at, "by": officer, "first_at": change.asked_at}
    mine = FactChange.objects.filter(pk=change.pk)
    refused_by_database(lambda: mine.update(**decided))
    refused_by_database(lambda: mine.update(**decided, second_by=officer))
    refused_by_database(lambda: mine.update(after={}))
    refused_by_database(lambda: mine.update(by=owner_of(organisation), first_at=change.asked_at))
    fact_changes.refuse(change, reason="No.", by=officer)
    refused_by_database(lambda: mine.update(reason="Well."))
    refused_by_database(lambda: mine.delete())


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_and_refuse_at_once_one_decides():
    organisation = make_verified()
    change = dossier.tell(organisation, "bank", {"holder": "We"}, by=owner_of(organisation))
    first, second = make_staff("vetting"), make_staff("vetting")
    answers = together(
        [
            lambda: fact_changes.confirm(change, by=first),
            lambda: fact_changes.refuse(change, reason="No.", by=second),
        ]
    )
    assert sorted(answers) == ["done", "wrong_state"]
    change.refresh_from_db()
    assert (dossier.facts_of(organisation)["bank"]["holder"] == "We") == (change.outcome == "confirmed")


@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_an_identity_at_once_are_first_and_second():
    organisation = make_verified()
    change = dossier.tell(organisation, "identity", identity(organisation, name="Seaside"), by=owner_of(organisation))
    people = [make_staff("vetting"), make_staff("vetting")]
    together([lambda person=person: fact_changes.confirm(change, by=person) for person in people])
    change.refresh_from_db()
    assert {change.by, change.second_by} == set(people)
    organisation.refresh_from_db()
    assert organisation.name == "Seaside"


# --- over HTTP -----------------------------------------------------------------------------------------------------


def test_a_stranger_registers_fills_in_declares_and_applies_on_pages():
    person = make_organisation("Before").created_by
    client = signed_in(person)
    kind, number = registration_number("HK")
    registered = {
        "name": "湖畔研究有限公司",
        "latin_name": "Lakeside Research Limited",
        "kinds": ["buyer"],
        "country": "HK",
        "region": "HK",
        "number_kind": kind,
        "registration_number": number,
    }
    assert client.post("/apply/?new=1", registered).url == "/apply/"
    organisation = Organisation.objects.get(name="湖畔研究有限公司")
    page = client.get("/apply/").content.decode()
    assert "Still missing" in page
    rules = {"accepts_rules": "on", "rules_version": exchange_rules.CURRENT_VERSION}
    refused = client.post("/apply/", rules)
    assert refused.status_code == 422
    assert not Verification.objects.filter(organisation=organisation).exists()
    activity = {"sector": "transport", "merchant_kinds": ["party"], "is_critical_operator": "no"}
    forms = {
        "representative": {"name": "Wong Siu Ming", "position": "Director"},
        "activity": activity | {"is_listed_company": "yes", "listed_at": "HKEX 1"},
        "owners": {
            "name_0": "Wong Siu Ming",
            "country_0": "HK",
            "share_0": "60.5",
            "since_0": "2019-04-01",
            **{"name_1": "", "country_1": "", "share_1": "", "since_1": ""},
        },
        "contacts": TOLD["contacts"],
    }
    for section, said in forms.items():
        answer = client.post(f"/apply/sections/{section}/", said)
        assert answer.url == f"/apply/#{section}", answer.content
    told = dossier.facts_of(organisation)
    assert told["owners"]["owners"][0]["share_basis_points"] == 6050
    assert told["activity"]["is_listed_company"] is True
    declared = client.post("/apply/declaration/", {"is_restricted": "no", "text_version": "2026-11"})
    assert declared.url == "/apply/#declaration"
    assert client.post("/apply/", rules).url == "/organisation/"
    assert organisation.verification.state == "applied"


def test_a_script_saves_a_section_and_is_told_what_is_missing():
    organisation = make_organisation()
    client = signed_in(owner_of(organisation))
    answer = client.post(
        "/apply/sections/representative/",
        {"name": "Wong Siu Ming", "position": "Director"},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 200
    assert answer.json()["said"].startswith("Saved at ")
    assert "Legal representative: Name" not in answer.json()["missing"]
    assert "What it does: Sector" in answer.json()["missing"]
    assert answer.json()["lacking"] == ["activity", "contacts", "declaration", "owners"]
    wrong = client.post(
        "/apply/sections/contacts/", {"security_email": "nobody"}, headers={"Accept": "application/json"}
    )
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["security_email"])
    assert client.post("/apply/sections/nothing/").status_code == 404


def test_chinese_calls_the_name_of_an_organisation_otherwise_than_that_of_a_person():
    client = signed_in(owner_of(make_verified()))
    client.cookies["django_language"] = "zh-hans"
    page = client.get("/organisation/facts/").content.decode()
    assert "<dt>名称</dt>" in page and "<dt>姓名</dt>" in page and "<dt>职务</dt>" in page


def test_an_owner_asks_for_a_change_on_the_page_and_two_of_the_staff_confirm_it_at_the_desk():
    organisation = make_verified()
    client = signed_in(owner_of(organisation))
    assert client.get("/organisation/facts/").status_code == 200
    asked = client.post("/apply/sections/representative/", {"name": "Ho Ka Wai", "position": "Chair"})
    assert asked.url == "/organisation/facts/#representative"
    change = FactChange.objects.get()
    desk = f"/admin/desks/organisations/{organisation.public_id}/"
    for number, officer in enumerate((make_staff("vetting"), make_staff("vetting"))):
        browser = signed_in(officer)
        page = browser.get(desk).content.decode()
        assert "<del>Wong Siu Ming</del>" in page
        assert "<ins>Ho Ka Wai</ins>" in page
        answer = browser.post(
            desk + "act/", {"act": "confirm_change", "change": change.pk, "key": f"key-of-the-form-{number}"}
        )
        assert answer.status_code == 302
    assert dossier.facts_of(organisation)["representative"]["name"] == "Ho Ka Wai"


def test_the_same_over_the_api():
    organisation = make_organisation()
    owner = signed_in(owner_of(organisation))
    path = f"/api/v1/organisations/{organisation.public_id}/"
    post = {"content_type": "application/json"}
    for number, (section, facts) in enumerate(TOLD.items()):
        answer = owner.post(
            f"{path}dossier/{section}", {"facts": facts}, **post, headers={"Idempotency-Key": f"tell-{number}"}
        )
        assert answer.status_code == 200, answer.content
    assert [reason["field"] for reason in answer.json()["missing"]] == ["declaration"]
    declared = owner.post(
        f"{path}declarations",
        {"text_version": answer.json()["declaration_version"], "is_restricted": False, "related_parties": ""},
        **post,
        headers={"Idempotency-Key": "declare"},
    )
    assert declared.status_code == 201
    assert owner.get(f"{path}dossier").json()["missing"] == []
    applied = owner.post(
        f"{path}application", {"rules_version": "2026-11"}, **post, headers={"Idempotency-Key": "apply"}
    )
    assert (applied.status_code, applied.json()["state"]) == (201, "applied")
