"""From opening an account to being verified, on pages; and the rules in three languages."""

import datetime as dt
import re

import pytest
from django.test import Client

from compliance import exchange_rules, verification
from compliance.models import RulesAcceptance, Verification
from marketplace import clock
from marketplace.models import Organisation, User
from tests.factories import (
    make_applied,
    make_draft,
    make_organisation,
    make_staff,
    make_user,
    make_verified,
    owner_of,
    registration_number,
    tell_all,
)

pytestmark = pytest.mark.django_db


def said(**changes: object) -> dict[str, object]:
    kind, number = registration_number("HK")
    return {
        "name": "湖畔研究有限公司",
        "latin_name": "Lakeside Research Limited",
        "kinds": ["buyer", "supplier"],
        "country": "HK",
        "region": "HK",
        "number_kind": kind,
        "registration_number": number,
        **changes,
    }


RULES = {"accepts_rules": "on", "rules_version": exchange_rules.CURRENT_VERSION}


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_stranger_opens_an_account_confirms_applies_and_is_told_to_wait(client, mailoutbox):
    opened = client.post("/accounts/signup/", {"email": "mei@lakeside.example", "password1": "a long pass phrase 7"})
    assert opened.status_code == 302
    assert client.get("/apply/").url.startswith("/accounts/login/")
    [letter] = mailoutbox
    link = re.search(r"http://127.0.0.1:8000(/accounts/confirm-email/\S+)", letter.body)[1]
    client.post(link)
    signed = client.post("/accounts/login/", {"login": "mei@lakeside.example", "password": "a long pass phrase 7"})
    assert signed.status_code == 302
    assert client.post("/apply/", said()).url == "/apply/"
    tell_all(Organisation.objects.get())
    assert client.post("/apply/", RULES).url == "/organisation/"
    page = client.get("/organisation/").content.decode()
    assert "湖畔研究有限公司" in page
    assert "organisation_not_verified" in page
    assert "is being vetted" in page
    assert User.objects.get().role_in(Organisation.objects.get()) == "owner"
    assert RulesAcceptance.objects.get().rules_digest in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"registration_number": "1234"}, "registration_number"),
        ({"latin_name": "湖畔"}, "latin_name"),
        ({"region": "CN-SH"}, "region"),
        ({"kinds": []}, "kinds"),
    ],
)
def test_a_mistake_is_marked_and_registers_nothing(wrong, told):
    answer = signed_in(make_user()).post("/apply/", said(**wrong))
    assert answer.status_code == 422
    assert told in answer.context["form"].errors
    assert not Organisation.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "told"), [({"accepts_rules": ""}, "accepts_rules"), ({"rules_version": "1999-01"}, "__all__")]
)
def test_nobody_applies_without_accepting_the_rules_in_force(wrong, told):
    organisation = tell_all(make_organisation())
    answer = signed_in(owner_of(organisation)).post("/apply/", RULES | wrong)
    assert answer.status_code == 422
    assert told in answer.context["form"].errors
    assert not Verification.objects.exists()


def test_html_in_a_name_stays_text():
    client = signed_in(make_user())
    assert client.post("/apply/", said(name="<script>alert(1)</script>", latin_name="<b>Bold</b>")).status_code == 302
    page = client.get("/organisation/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_asked_for_more_the_owner_reads_why_corrects_and_applies_again():
    organisation = make_applied("Lakeside Research")
    verification.request_more(
        organisation.verification,
        reason_code="facts_differ",
        reason="The register says Limited.",
        by=make_staff("vetting"),
    )
    client = signed_in(owner_of(organisation))
    page = client.get("/apply/").content.decode()
    assert "The register says Limited." in page and "What was said differs from the register" in page
    corrected = said(name="Lakeside Research Limited", registration_number=organisation.registration_number)
    assert client.post("/apply/sections/identity/", corrected).url == "/apply/#identity"
    assert client.post("/apply/", RULES).status_code == 302
    organisation.refresh_from_db()
    assert organisation.name == "Lakeside Research Limited"
    assert Verification.objects.get().state == "applied"


def test_who_is_being_vetted_or_verified_is_led_to_the_organisation():
    for organisation in (make_applied(), make_verified()):
        assert signed_in(owner_of(organisation)).get("/apply/").url == "/organisation/"
    page = signed_in(owner_of(organisation)).get("/organisation/").content.decode()
    assert "free to list and trade" in page


def test_what_one_of_two_proposed_is_not_told_to_the_organisation():
    organisation = make_applied()
    verification.propose(
        organisation.verification,
        "approve",
        reason_code="checks_passed",
        reason="Looks right.",
        by=make_staff("vetting"),
    )
    assert "Looks right." not in signed_in(owner_of(organisation)).get("/organisation/").content.decode()


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Rules of the exchange"), ("zh-hans", "交易所规则"), ("zh-hant", "交易所規則")]
)
def test_the_rules_are_read_in_three_languages_without_signing_in(client, language, words):
    client.cookies["django_language"] = language
    page = client.get("/rules/").content.decode()
    assert words in page
    assert "<h2>" in page
    assert exchange_rules.digest(exchange_rules.CURRENT_VERSION) in page
    assert client.get("/rules/2026-11/").status_code == 200
    assert client.get("/rules/1999-01/").status_code == 404


def test_a_version_is_handed_in_from_a_page_or_the_page_says_what_is_missing():
    whole = make_draft(make_verified())
    client = signed_in(owner_of(whole.listing.seller))
    path = f"/studio/{whole.listing.public_id}/versions/1/submission/"
    assert client.get(path).status_code == 405
    assert client.post(path, {"next": "/organisation/"}).url == "/organisation/"
    whole.refresh_from_db()
    assert whole.state == "submitted"
    shown = f"/studio/{whole.listing.public_id}/versions/1/"
    assert "They mean to decide by" in client.get(shown).content.decode()
    with clock.moved_to(clock.now() + dt.timedelta(days=30)):
        late = client.get(shown).content.decode()
    assert "They meant to decide by" in late and "The exchange is late" in late
    lacking = make_draft(make_organisation())
    client = signed_in(owner_of(lacking.listing.seller))
    answer = client.post(f"/studio/{lacking.listing.public_id}/versions/1/submission/")
    assert answer.status_code == 403
    assert "organisation_not_verified" in answer.content.decode()
    assert (
        signed_in(owner_of(whole.listing.seller))
        .post(f"/studio/{lacking.listing.public_id}/versions/1/submission/")
        .status_code
        == 404
    )
