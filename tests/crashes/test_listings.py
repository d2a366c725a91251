"""Workers killed while they register products and measure releases."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from listings import arrivals, daily_counts, discounts, profiling, publishing, registration, shelf, uploads
from listings import tasks as listings_tasks
from listings.models import DailyCount, Listing, Profile, Registration, ReleaseFile, ShelfItem, Upload
from listings.states import ListingState, ProfileState
from marketplace import clock
from marketplace import tasks as marketplace_tasks
from marketplace.models import Paper
from tests import factories
from tests.crashes.dying import die_at, let_claims_lapse
from tests.crashes.roads import nothing_is_amiss, recorded

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {
    "listings.tasks.register_products",
    "listings.tasks.publish_products",
    "listings.tasks.profile_releases",
    "listings.tasks.check_files",
    "listings.tasks.write_counts_down",
    "listings.tasks.close_lapsed_offers",
    "listings.tasks.reprice_shelf",
}
REGISTER = [
    "before listings.registration._register",
    "after listings.publishing.register",
    "after marketplace.documents.issue",
    "within listings.registration._register_if_due",
    "after listings.registration._register_if_due",
]


@pytest.mark.parametrize("at", REGISTER)
def test_an_approved_product_gets_one_number_and_one_certificate(at: str, tmp_path: Path) -> None:
    factories.make_approved(factories.make_draft(factories.make_verified()))
    die_at(at, "listings.tasks.register_products", tmp_path)
    is_done = at == "after listings.registration._register_if_due"
    assert [Registration.objects.count(), Paper.objects.count(), registration.due().count()] == (
        [1, 2, 0] if is_done else [0, 0, 1]
    )
    listings_tasks.register_products()
    entry, listing = Registration.objects.get(), Listing.objects.get()
    assert (listing.state, listing.current_version_id) == (ListingState.LISTED, entry.version_id)
    assert [paper.record["register_number"] for paper in Paper.objects.all()] == [entry.number] * 2
    once = {"version.registered": 1, "listing.published": 1, "paper.issued": 2}
    assert recorded(*once) == once
    marketplace_tasks.send_letters()
    nothing_is_amiss()


PUBLISH = [
    "before listings.registration._publish_if_due",
    "after listings.publishing.publish",
    "after listings.product_papers.issue_listing_certificate",
    "after listings.registration._publish_if_due",
]


@pytest.mark.parametrize("at", PUBLISH)
def test_a_product_whose_window_has_passed_is_listed_once(at: str, tmp_path: Path, settings) -> None:
    settings.PUBLICITY_DAYS = 20
    factories.make_approved(factories.make_draft(factories.make_verified()))
    with clock.moved_to(clock.now() - dt.timedelta(days=21)):
        listings_tasks.register_products()
    die_at(at, "listings.tasks.publish_products", tmp_path)
    is_done = at == "after listings.registration._publish_if_due"
    assert Listing.objects.get().state == (ListingState.LISTED if is_done else ListingState.REGISTERED)
    listings_tasks.publish_products()
    assert Listing.objects.get().state == ListingState.LISTED
    once = {"version.registered": 1, "listing.published": 1, "paper.issued": 2}
    assert recorded(*once) == once
    marketplace_tasks.send_letters()
    nothing_is_amiss()


MEASURE = [
    "after listings.models.Profile.claim_next",
    "before listings.profiler.warden.listen",  # the process that reads the file has just been started
    "after listings.profiler.warden.send",
    "after listings.isolation.profile_file",
    "within listings.profiling.finish",
    "after listings.profiling.finish",
]


@pytest.mark.parametrize("at", MEASURE)
def test_a_release_is_measured_once_and_no_process_goes_on(at: str, own_storage: Path, tmp_path: Path) -> None:
    seller = factories.make_organisation()
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=factories.owner_of(seller))
    release = factories.make_release(listing, is_profiled=False)
    die_at(at, "listings.tasks.profile_releases", tmp_path)
    nobody_reads(own_storage)
    let_claims_lapse()
    while profiling.profile_next():
        pass
    profile = Profile.objects.get(release=release)
    assert (profile.state, profile.report["rows"], profile.error) == (ProfileState.DONE, 4, "")
    assert recorded("release.profiled", "release.profile_failed") == {"release.profiled": 1}
    nothing_is_amiss()


CHECK = [
    "after listings.models.Upload.claim_next",
    "after listings.arrivals._examined",
    "within listings.arrivals.add_file",
    "after listings.arrivals.add_file",
]


@pytest.mark.parametrize("at", CHECK)
def test_a_file_is_checked_and_joins_its_release_once(at: str, own_storage: Path, tmp_path: Path) -> None:
    seller = factories.make_organisation()
    by = factories.owner_of(seller)
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=by)
    release = uploads.open_release(listing, label="1", by=by)
    upload = uploads.start_upload(release, path="a.csv", size_bytes=len(factories.FLIGHTS_CSV), by=by)
    with uploads.receiving(upload, 0) as receiver:
        receiver.write(factories.FLIGHTS_CSV)
    arrivals.hand_over(upload, sha256_hex="", by=by)
    die_at(at, "listings.tasks.check_files", tmp_path)
    is_done = at == "after listings.arrivals.add_file"
    assert (ReleaseFile.objects.count(), Upload.objects.count()) == ((1, 0) if is_done else (0, 1))
    let_claims_lapse()
    listings_tasks.check_files()
    assert ReleaseFile.objects.get().path == "a.csv" and not Upload.objects.exists()
    assert recorded("release.file_added", "release.file_refused") == {"release.file_added": 1}
    nothing_is_amiss()


def nobody_reads(folder: Path) -> None:
    """The process that read a file of this folder, if there was one, ends with the worker that started it."""
    deadline = time.monotonic() + 10
    while any(str(folder) in command for command in commands_running()):
        assert time.monotonic() < deadline, "a process still reads the file whose worker is dead"
        time.sleep(0.05)


def commands_running() -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


COUNTS = [
    "after listings.daily_counts._set_aside",
    "within listings.daily_counts.add",
    "after listings.daily_counts.add",
]


@pytest.mark.parametrize("at", COUNTS)
def test_what_was_counted_is_written_down_once(at: str, tmp_path: Path) -> None:
    listing = factories.make_draft(factories.make_organisation()).listing
    look_at(listing)
    die_at(at, "listings.tasks.write_counts_down", tmp_path)
    is_done = at == "after listings.daily_counts.add"
    assert list(DailyCount.objects.values_list("seen", flat=True)) == ([1] if is_done else [])
    look_at(listing)
    assert daily_counts.write_down() == 2
    assert list(DailyCount.objects.values_list("listing", "seen", "opened")) == [(listing.pk, 2, 0)]
    nothing_is_amiss()


LAPSE = [
    "within listings.private_offers._close_if_lapsed",
    "after listings.private_offers._close_if_lapsed",
]


@pytest.mark.parametrize("at", LAPSE)
def test_an_offer_whose_time_ran_out_is_closed_once(at: str, tmp_path: Path) -> None:
    listing = factories.make_draft(factories.make_organisation()).listing
    with clock.moved_to(clock.now() - dt.timedelta(days=2)):
        factories.make_offer(listing, open_until=clock.now() + dt.timedelta(days=1))
    die_at(at, "listings.tasks.close_lapsed_offers", tmp_path)
    is_done = at.startswith("after")
    assert recorded("offer.lapsed") == ({"offer.lapsed": 1} if is_done else {})
    listings_tasks.close_lapsed_offers()
    assert recorded("offer.lapsed") == {"offer.lapsed": 1}
    nothing_is_amiss()


REPRICE = ["within listings.shelf.reprice", "after listings.shelf.reprice"]


@pytest.mark.parametrize("at", REPRICE)
def test_a_discount_that_began_is_on_the_shelf_whatever_dies(at: str, tmp_path: Path) -> None:
    offer = factories.make_listed_product().offers.get()
    begins = clock.now() + dt.timedelta(seconds=1)
    until = begins + dt.timedelta(days=1)
    discounts.set_discount(offer, percent=20, valid_from=begins, valid_until=until, by=offer.created_by)
    time.sleep(1.1)
    die_at(at, "listings.tasks.reprice_shelf", tmp_path)
    assert ShelfItem.objects.get().price_minor == (100_000 if at.startswith("after") else 125_000)
    listings_tasks.reprice_shelf()
    assert ShelfItem.objects.get().price_minor == 100_000
    assert shelf.to_reprice().count() == 0


def look_at(listing: Listing) -> None:
    """Somebody unknown sees its card in a browser."""
    request = RequestFactory().get("/", headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"})
    request.user = AnonymousUser()
    daily_counts.count(request, [listing], "seen")
