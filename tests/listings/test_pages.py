"""The catalogue, the product's page and the studio, as a browser asks for them."""

from __future__ import annotations

import datetime as dt
import html
import os
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance.reasons import REASONS
from listings import profiling, publishing, storage, uploads
from listings.forms import FieldDictionary, lines_of
from listings.models import Listing, Offer, Release, ReleaseFile, Upload, Version
from marketplace.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def seller():
    return factories.make_verified("Harbour Metrics Limited")


@pytest.fixture
def browser(seller) -> Client:
    return signed_in(factories.owner_of(seller))


def text_of(response) -> str:
    """What people read of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def key_in(response) -> str:
    return re.search(r'name="key" value="([^"]+)"', response.content.decode())[1]


def manual_form(version: Version, **changes) -> dict[str, object]:
    """The editor's form as a browser would send it."""
    manual = factories.manual()
    sent = {
        name: value
        for name, value in manual.items()
        if name not in ("titles", "summaries", "coverage_area", "rights", "fields") and value not in (False, None)
    }
    sent |= {f"title_{language}": text for language, text in manual["titles"].items()}
    sent |= {f"summary_{language}": text for language, text in manual["summaries"].items()}
    sent |= {f"area_{language}": text for language, text in manual["coverage_area"].items()}
    sent["fields"] = lines_of(manual["fields"])
    for right, claim in manual["rights"].items():
        sent |= {f"{right}_held": "on", f"{right}_basis": claim["basis"], f"{right}_evidence": claim["evidence"]}
    release = version.listing.releases.first()
    return sent | {"release": release.pk if release else "", "leaves_mainland": "on"} | changes


OFFER = {
    "name": "One year",
    "price": "1,250.50",
    "currency": "HKD",
    "channel": "files",
    "inspection_days": "7",
    "jurisdiction": "hk_hkiac",
    "audience": "everyone",
    "purposes": ["internal_analysis"],
    "derived_works": "internal",
    "redistribution": "none",
    "anywhere": "on",
    "term_months": "12",
    "personal_data": "none",
}


def test_a_seller_takes_a_product_from_the_studio_to_the_catalogue_by_pages(browser, seller):
    studio = browser.get("/studio/")
    begun = browser.post("/studio/", {"product_type": "dataset", "key": key_in(studio)})
    listing = Listing.objects.get()
    here = f"/studio/{listing.public_id}/"
    assert (begun.status_code, begun["Location"]) == (302, here)

    opened = browser.post(f"{here}releases/", {"label": "2026-11", "key": key_in(browser.get(here))})
    release = Release.objects.get()
    assert opened["Location"] == f"{here}releases/{release.pk}/"
    sent = browser.post(
        f"{here}releases/{release.pk}/files/", {"files": SimpleUploadedFile("flights.csv", factories.FLIGHTS_CSV)}
    )
    assert sent.status_code == 302
    assert ReleaseFile.objects.get().path == "flights.csv"
    browser.post(f"{here}releases/{release.pk}/seal/")
    assert "measures this release" in text_of(browser.get(f"{here}releases/{release.pk}/"))
    profiling.profile_next()
    measured = text_of(browser.get(f"{here}releases/{release.pk}/"))
    assert "Measured by the exchange" in measured
    assert "EWR" in measured

    version = Version.objects.get()
    page = text_of(browser.get(f"{here}versions/1/"))
    assert "16 things left before you can hand it in" in page
    saved = browser.post(f"{here}versions/1/", manual_form(version))
    assert saved.status_code == 302
    assert publishing.problems(Version.objects.get()) == []
    assert "Ready to hand in" in text_of(browser.get(f"{here}versions/1/"))

    offered = browser.post(f"{here}offers/new/", OFFER | {"key": key_in(browser.get(f"{here}offers/new/"))})
    assert offered["Location"] == here
    assert Offer.objects.get().price_minor == 125_050

    handed_in = browser.post(f"{here}versions/1/submission/", {"next": here})
    assert handed_in["Location"] == here
    first, second = factories.make_staff("review"), factories.make_staff("review")
    review = Version.objects.get().review
    factories.reviews.take(review, by=first)
    factories.approve(review, by=first)
    factories.approve(review, by=second)
    factories.registration.register_due()
    anyone = Client()
    assert "Departures of New York" in text_of(anyone.get("/catalogue/", {"q": "航班"}))
    product = text_of(anyone.get(f"/products/{listing.public_id}/"))
    for words in ("Departures of New York", "HKD 1,250.50", "Airline, two letters", "You may not", "Harbour Metrics"):
        assert words in product
    assert (
        f'href="/offers/{Offer.objects.get().public_id}/buy/"'
        in anyone.get(f"/products/{listing.public_id}/").content.decode()
    )


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_every_page_is_shown_in_every_language(browser, seller, language):
    listing = factories.make_listed_product(seller)
    opened = uploads.open_release(listing, label="next", by=factories.owner_of(seller))
    publishing.draft(listing, by=factories.owner_of(seller))
    here = f"/studio/{listing.public_id}/"
    release = listing.current_version.release.pk
    for path in (
        "/catalogue/",
        f"/products/{listing.public_id}/",
        "/studio/",
        here,
        f"{here}versions/1/",
        f"{here}versions/2/",
        f"{here}releases/{release}/",
        f"{here}releases/{opened.pk}/",
        f"{here}offers/new/",
    ):
        page = browser.get(path, headers={"Accept-Language": language})
        assert page.status_code == 200, path
        assert "style=" not in page.content.decode(), path
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=", page.content.decode()), path


def test_a_product_page_costs_the_same_however_much_it_shows(seller):
    small = factories.make_listed_product(seller)
    large = factories.make_listed_product(seller, fields=[{"name": f"f{n}", "meaning": "m"} for n in range(300)])
    for _ in range(10):
        factories.make_offer(large)

    def cost(listing: Listing) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert Client().get(f"/products/{listing.public_id}/").status_code == 200
        return len(queries)

    assert cost(large) == cost(small) <= 18


@pytest.mark.parametrize("query", ["?sector=sports", "?price=cheap", "?q=" + "x" * 300, "?classification=core"])
def test_a_filter_that_cannot_be_is_shown_as_a_mistake(query):
    assert Client().get(f"/catalogue/{query}").status_code == 422


@pytest.mark.parametrize(
    "query", ["", "?page=0", "?page=x", "?page=999999999999999999999", "?q=%22%27%5C", "?q=航班&page=2"]
)
def test_odd_addresses_of_the_catalogue_are_answered(query):
    factories.make_listed_product()
    assert Client().get(f"/catalogue/{query}").status_code == 200


def test_hostile_text_is_shown_as_text_everywhere(seller, browser):
    hostile = '<script>alert("x")</script>{{ 7*7 }}=1+1'
    listing = factories.make_listed_product(
        seller,
        titles={"en": hostile},
        summaries={"en": hostile},
        coverage_area={"en": hostile},
        use_scenarios=hostile,
        source_statement=hostile,
        fields=[{"name": hostile, "meaning": hostile, "type": "x", "unit": hostile}],
        offer={"name": hostile},
        files={"=1+1.csv": b'<b>a</b>,"=cmd()"\n<i>1</i>,@x\n'},
    )
    here = f"/studio/{listing.public_id}/"
    for path in ("/catalogue/", f"/products/{listing.public_id}/", "/studio/", here, f"{here}versions/1/"):
        page = browser.get(path).content.decode()
        assert "<script>alert" not in page, path
        assert "<b>a</b>" not in page, path
        assert hostile in html.unescape(page), path


def test_strangers_and_nobody_see_nothing_of_a_studio(seller):
    version = factories.make_draft(seller)
    offer = factories.make_offer(version.listing)
    upload = factories.uploads.open_release(version.listing, label="n", by=factories.owner_of(seller))
    here = f"/studio/{version.listing.public_id}/"
    stranger = signed_in(factories.owner_of(factories.make_organisation()))
    routes = [
        ("get", here),
        ("post", f"{here}withdrawal/"),
        ("post", f"{here}versions/"),
        ("get", f"{here}versions/1/"),
        ("post", f"{here}versions/1/"),
        ("post", f"{here}releases/"),
        ("get", f"{here}releases/{upload.pk}/"),
        ("post", f"{here}releases/{upload.pk}/files/"),
        ("post", f"{here}releases/{upload.pk}/seal/"),
        ("get", f"{here}offers/new/"),
        ("post", f"{here}offers/new/"),
        ("post", f"{here}offers/{offer.public_id}/closing/"),
    ]
    for method, path in routes:
        assert getattr(stranger, method)(path).status_code == 404, path
        nobody = getattr(Client(), method)(path)
        assert (nobody.status_code, nobody["Location"].split("?")[0]) == (302, "/accounts/login/"), path
    assert Client().get(f"/products/{version.listing.public_id}/").status_code == 404
    assert (Listing.objects.get().state, Offer.objects.get().closed_at) == ("unlisted", None)


def test_a_viewer_sees_no_form_and_is_refused_when_posting(seller):
    version = factories.make_draft(seller)
    factories.make_offer(version.listing)
    viewer = signed_in(factories.make_member(seller, Role.VIEWER))
    here = f"/studio/{version.listing.public_id}/"
    for path in ("/studio/", here, f"{here}versions/1/"):
        page = viewer.get(path)
        assert page.status_code == 200
        assert 'method="post"' not in page.content.decode().split("<main")[1], path
    acts = ("withdrawal/", "versions/", f"releases/{version.release_id}/seal/", "offers/new/")
    for path in (here + act for act in acts):
        refused = viewer.post(path, {"reason": "x"})
        assert (refused.status_code, "role_needed" in refused.content.decode()) == (403, True), path
    assert viewer.post(f"{here}versions/1/", manual_form(version)).status_code == 403
    assert viewer.post(f"{here}releases/{version.release_id}/files/").status_code == 403
    assert (Listing.objects.get().state, Version.objects.count()) == ("unlisted", 1)


def test_mistakes_in_the_manual_stand_beside_their_fields_and_nothing_is_saved(browser, seller):
    version = factories.make_draft(seller)
    before = Version.objects.values().get()
    page = browser.post(
        f"/studio/{version.listing.public_id}/versions/1/",
        manual_form(version, title_en="x" * 200, fields='carrier,"text', persons_count="-1", sector="sports"),
    )
    assert page.status_code == 422
    for words in ("a quotation mark is missing", "160 characters"):
        assert words in text_of(page)
    assert Version.objects.values().get() == before


def test_two_fields_of_one_name_are_refused_beside_the_dictionary(browser, seller):
    version = factories.make_draft(seller)
    page = browser.post(
        f"/studio/{version.listing.public_id}/versions/1/", manual_form(version, fields="a,text,One\na,text,Two")
    )
    assert (page.status_code, "has the name of an earlier one" in text_of(page)) == (422, True)


def test_another_products_release_cannot_be_chosen(browser, seller):
    version, other = factories.make_draft(seller), factories.make_draft(seller)
    page = browser.post(
        f"/studio/{version.listing.public_id}/versions/1/", manual_form(version, release=other.release_id)
    )
    assert page.status_code == 422
    version.refresh_from_db()
    assert version.release_id != other.release_id


def test_a_dictionary_is_pasted_or_typed_and_comes_back_the_same():
    read = FieldDictionary(required=False).clean
    pasted = read("carrier\ttext\tAirline, two letters\t\tkey\nair_time\tinteger\tTime\tminutes")
    typed = read('carrier, text, "Airline, two letters", , key\n\nair_time,integer,Time,minutes\n')
    assert pasted == typed == read(lines_of(pasted))
    assert [field["is_key"] for field in pasted] == [True, False]
    assert pasted[0]["meaning"] == "Airline, two letters"


def test_a_refused_offer_says_why_beside_its_field(browser, seller):
    version = factories.make_draft(seller, classification="general_4")
    path = f"/studio/{version.listing.public_id}/offers/new/"
    for changes, words in (
        ({}, "is never delivered as files"),
        ({"price": "twelve"}, "is not an amount"),
        ({"audience": "named", "buyers": "nobody"}, "Nobody here has the number"),
        ({"purposes": ["publication"]}, "derived works are for internal use only"),
        ({"anywhere": "", "territory": []}, "Name at least one territory"),
    ):
        page = browser.post(path, OFFER | {"key": key_in(browser.get(path))} | changes)
        assert (page.status_code, words in text_of(page)) == (422, True), words
    assert not Offer.objects.exists()


def test_a_form_that_is_sent_twice_makes_one_offer(browser, seller):
    listing = factories.make_draft(seller).listing
    path = f"/studio/{listing.public_id}/offers/new/"
    sent = OFFER | {"key": key_in(browser.get(path))}
    assert [browser.post(path, sent).status_code for _ in range(3)] == [302, 302, 302]
    assert Offer.objects.count() == 1


def test_files_of_a_form_go_straight_into_storage(browser, seller, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "no folder")
    listing = factories.make_draft(seller).listing
    release = uploads.open_release(listing, label="open", by=factories.owner_of(seller))
    content = os.urandom(5 * 1024**2)
    files = [SimpleUploadedFile("a.bin", content), SimpleUploadedFile("b.bin", b"b")]
    answer = browser.post(f"/studio/{listing.public_id}/releases/{release.pk}/files/", {"files": files})
    assert answer.status_code == 302
    kept = {file.path: storage.path_of(file.stored_as).read_bytes() for file in release.files.all()}
    assert kept == {"a.bin": content, "b.bin": b"b"}
    assert not Upload.objects.exists()


def test_a_refused_file_of_a_form_is_named_and_the_others_arrive(browser, seller):
    listing = factories.make_draft(seller).listing
    release = uploads.open_release(listing, label="open", by=factories.owner_of(seller))
    files = [
        SimpleUploadedFile("con.csv", b"x"),
        SimpleUploadedFile("empty.csv", b""),
        SimpleUploadedFile("good.csv", b"a\n1\n"),
        SimpleUploadedFile("GOOD.csv", b"a\n1\n"),
    ]
    page = browser.post(f"/studio/{listing.public_id}/releases/{release.pk}/files/", {"files": files})
    assert page.status_code == 422
    for words in ("is reserved", "empty.csv is empty", "differs in capitals only"):
        assert words in text_of(page)
    assert [file.path for file in release.files.all()] == ["good.csv"]
    assert not Upload.objects.exists()


def test_a_form_without_its_token_leaves_no_file(seller):
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.owner_of(seller))
    listing = factories.make_draft(seller).listing
    release = uploads.open_release(listing, label="open", by=factories.owner_of(seller))
    path = f"/studio/{listing.public_id}/releases/{release.pk}/files/"
    answer = client.post(path, {"files": SimpleUploadedFile("a.csv", b"a\n1\n")})
    assert answer.status_code == 403
    assert not release.files.exists()


def test_a_sealed_release_takes_no_file_by_form(browser, seller):
    version = factories.make_draft(seller)
    path = f"/studio/{version.listing.public_id}/releases/{version.release_id}/files/"
    page = browser.post(path, {"files": SimpleUploadedFile("late.csv", b"a\n1\n")})
    assert (page.status_code, "release_sealed" in page.content.decode()) == (409, True)
    assert [file.path for file in version.release.files.all()] == ["flights.csv"]


def test_a_version_sent_back_shows_the_reviewers_words(browser, seller):
    version = factories.make_draft(seller)
    review = factories.reviews.submit(version, by=factories.owner_of(seller))
    staff = factories.make_staff("review")
    factories.reviews.take(review, by=staff)
    reason_code = next(iter(REASONS["request_changes"]))
    factories.reviews.request_changes(review, reason_code=reason_code, reason="Name your source.", by=staff)
    here = f"/studio/{version.listing.public_id}/"
    for path in (here, f"{here}versions/1/"):
        assert "Name your source." in text_of(browser.get(path))
    assert str(REASONS["request_changes"][reason_code]) in text_of(browser.get(path))
    answered = browser.post(f"{here}versions/")
    assert answered["Location"] == f"{here}versions/2/"


def test_a_withdrawn_product_stays_readable_to_its_seller_only(browser, seller):
    listing = factories.make_listed_product(seller)
    browser.post(f"/studio/{listing.public_id}/withdrawal/", {"reason": "Sold the company."})
    assert "Sold the company." in text_of(browser.get(f"/studio/{listing.public_id}/"))
    assert "Sold the company." in text_of(browser.get(f"/products/{listing.public_id}/"))
    assert Client().get(f"/products/{listing.public_id}/").status_code == 404


def test_the_product_page_shows_each_column_with_its_plot_and_nothing_of_a_personal_one():
    cells = "".join(f"{n},{'air' if n % 3 else 'sea'},{n}.5,p{n}@mail.example\n" for n in range(60))
    seller = factories.make_verified()
    listing = factories.make_listed_product(seller=seller)
    version = publishing.draft(listing, by=factories.owner_of(seller))
    release = factories.make_release(listing, files={"a.csv": f"id,mode,kg,email\n{cells}".encode()}, label="plots")
    page = signed_in(factories.owner_of(seller)).get(f"/studio/{listing.public_id}/releases/{release.pk}/")
    shown = page.content.decode()
    assert version.number == 2
    assert shown.count('<li class="column-profile">') == 4
    assert shown.count('role="img" aria-label="Distribution of ') == 2
    assert "Distribution of kg from 0.5 to 59.5: 33.3 % of the values lie in the lowest third" in shown
    assert "66.6 %" in shown and 'aria-label="Most frequent values"' in shown
    assert "mail.example" not in shown and "personal, masked" in shown
    assert "What changed" in shown and "style=" not in shown


def test_the_dictionary_is_drafted_from_the_manuals_page_and_what_was_typed_is_saved(browser, seller):
    listing = factories.make_listed_product(seller=seller)
    version = publishing.draft(listing, by=factories.owner_of(seller))
    address = f"/studio/{listing.public_id}/versions/{version.number}/"
    form = browser.get(address).context["form"]
    typed = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    typed = {name: value for name, value in typed.items() if value not in (None, False)}
    typed |= {"fields": lines_of(version.fields), "coverage_until": "2013-06-30", "draft_dictionary": "yes"}
    assert browser.post(address, typed).status_code == 302
    version.refresh_from_db()
    assert version.coverage_until == dt.date(2013, 6, 30)
    assert [field["name"] for field in version.fields[:2]] == ["carrier", "air_time"]
    assert {"name": "origin", "type": "text", "meaning": "", "unit": "", "is_key": False, "example": "EWR"}.items() <= (
        next(field for field in version.fields if field["name"] == "origin").items()
    )
