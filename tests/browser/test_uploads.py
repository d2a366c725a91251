"""Files sent by a browser: dropped, chosen by the folder, interrupted and resumed, checked, straight to a store."""

from __future__ import annotations

import hashlib
import os

import pytest
from playwright.sync_api import expect

from listings import arrivals, publishing, storage, uploads
from listings.models import Release, ReleaseFile, Upload
from tests import factories
from tests import object_store as others
from tests.browser.conftest import file_of, signed_in, until

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1024**2


@pytest.fixture
def release() -> Release:
    seller = factories.make_organisation("Harbour Metrics")
    by = factories.owner_of(seller)
    listing = publishing.create_listing(seller=seller, product_type="dataset", by=by)
    return uploads.open_release(listing, label="2026-11", by=by)


def address(release: Release) -> str:
    return f"/studio/{release.listing.public_id}/releases/{release.pk}/"


def owner(release: Release):
    return factories.owner_of(release.listing.seller)


DROP = """([zone, files]) => {
    const carried = new DataTransfer()
    for (const [name, text] of files) carried.items.add(new File([text], name))
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }))
}"""


def test_many_files_are_dropped_and_arrive(browser, exchange, release):
    with signed_in(browser, exchange, owner(release)) as context:
        page = context.new_page()
        page.goto(address(release))
        files = [[f"part-{number:02}.csv", f"a,b\n{number},2\n"] for number in range(20)]
        page.evaluate(DROP, [page.query_selector("[data-drop]"), files])
        expect(page.locator("#progress li")).to_have_count(20)
        page.locator("button[data-send]").click()
        expect(page.locator("#files tbody tr")).to_have_count(20)
    kept = {file.path: file.sha256 for file in release.files.all()}
    assert kept == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files}
    assert not Upload.objects.exists()


def test_a_folder_keeps_its_paths_and_its_checksums_are_read(browser, exchange, release, tmp_path):
    good, bad = b"a,b\n1,2\n", b"a,b\n3,4\n"
    file_of(tmp_path, "data/2025/good.csv", good)
    file_of(tmp_path, "data/2026/bad.csv", bad)
    sums = f"{hashlib.sha256(good).hexdigest()}  2025/good.csv\n{'0' * 64}  2026/bad.csv\n"
    file_of(tmp_path, "data/SHA256SUMS", sums.encode())
    with signed_in(browser, exchange, owner(release)) as context:
        page = context.new_page()
        page.goto(address(release))
        page.locator("#folder-input").set_input_files(tmp_path / "data")
        expect(page.locator("#progress li")).to_have_count(2)
        page.wait_for_function("document.querySelector('#sums-input').value !== ''")
        page.locator("button[data-send]").click()
        refused = page.locator("#progress li[data-path='data/2026/bad.csv']")
        expect(refused).to_contain_text("arrived with the SHA-256 " + hashlib.sha256(bad).hexdigest())
        expect(page.locator("#progress li[data-path='data/2025/good.csv']")).to_contain_text("Arrived")
    assert [file.path for file in release.files.all()] == ["data/2025/good.csv"]
    assert not Upload.objects.exists()
    assert not [path for path in storage.path_of("xx").parent.parent.rglob("*.part")]


def test_an_upload_goes_on_after_the_browser_was_closed(browser, exchange, release, tmp_path):
    content = os.urandom(40 * MEGABYTE)
    path = file_of(tmp_path, "big.bin", content)
    shelf = tmp_path / "shelf.json"
    with signed_in(browser, exchange, owner(release)) as context:
        page = context.new_page()
        page.goto(address(release))
        sent = []

        def let_two_pass(route):
            sent.append(route.request.url)
            route.abort() if len(sent) > 2 else route.continue_()

        page.route("**/api/v1/uploads/*", lambda route: (
            let_two_pass(route) if route.request.method == "PATCH" else route.continue_()
        ))  # fmt: skip
        page.locator("#files-input").set_input_files(path)
        page.locator("button[data-send]").click()
        until(lambda: len(sent) > 2, "two parts to arrive", page)
        context.storage_state(path=shelf)
    begun = Upload.objects.get()
    assert uploads.offset_of(begun) == 16 * MEGABYTE
    with signed_in(browser, exchange, owner(release), storage_state=shelf) as context:
        page = context.new_page()
        page.goto(address(release))
        expect(page.locator("#uploads")).to_contain_text("big.bin")
        offsets = []
        page.on(
            "request",
            lambda asked: asked.method == "PATCH" and offsets.append(asked.headers["upload-offset"]),
        )
        page.locator("#files-input").set_input_files(path)
        page.locator("button[data-send]").click()
        expect(page.locator("#files tbody tr")).to_have_count(1)
    assert offsets[0] == str(16 * MEGABYTE), "what had arrived was not sent again"
    file = ReleaseFile.objects.get()
    assert (file.stored_as, file.sha256) == (begun.public_id, hashlib.sha256(content).hexdigest())


def test_a_wrong_checksum_is_shown_and_the_file_is_not_taken(browser, exchange, release, tmp_path):
    path = file_of(tmp_path, "a.csv", b"a,b\n1,2\n")
    with signed_in(browser, exchange, owner(release)) as context:
        page = context.new_page()
        page.goto(address(release))
        page.locator("#files-input").set_input_files(path)
        page.locator("details summary", has_text="Checksums").click()
        page.locator("#sums-input").fill(f"{'0' * 64}  a.csv")
        page.locator("button[data-send]").click()
        expect(page.locator("#progress li")).to_contain_text("arrived with the SHA-256")
    assert not ReleaseFile.objects.exists() and not Upload.objects.exists()


def test_parts_go_straight_to_the_store_and_the_check_is_shown(browser, start_exchange, release, settings, tmp_path):
    settings.STORAGE_URL = others.new_bucket()
    exchange = start_exchange(STORAGE_URL=settings.STORAGE_URL)
    content = os.urandom(40 * MEGABYTE)
    path = file_of(tmp_path, "big.bin", content)
    with signed_in(browser, exchange, owner(release)) as context:
        page = context.new_page()
        puts, ours = [], []
        page.on("request", lambda asked: (puts if asked.method == "PUT" else ours).append(asked.url))
        page.goto(address(release))
        page.locator("#files-input").set_input_files(path)
        page.locator("button[data-send]").click()
        expect(page.locator("#uploads")).to_contain_text("the exchange checks it")
        assert len(puts) == 3 and not any(url.startswith(exchange) for url in puts)
        arrivals.check_next()
        expect(page.locator("#files tbody tr")).to_have_count(1)
    assert ReleaseFile.objects.get().sha256 == hashlib.sha256(content).hexdigest()
