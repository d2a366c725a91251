"""What every delivery channel keeps to: one suite, run on every configured driver."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.conf import settings
from django.utils import timezone

from listings import storage
from marketplace.canonical import digest_of
from settlement import deliveries, due
from settlement.channels import Access, CannotDeliver, Channel, TryLater, channel
from settlement.models import Grant
from tests import rows

pytestmark = pytest.mark.django_db

FILES = {"data/flights.csv": b"carrier,flight\nUA,1545\n", "读我.txt": b"read me\n"}


@pytest.fixture(autouse=True)
def storage_folder(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture(params=sorted(settings.CHANNELS))
def driver(request: pytest.FixtureRequest) -> Channel:
    return channel(request.param)


@pytest.fixture
def grant(driver: Channel) -> Grant:
    return rows.a_grant(rows.a_trade(rows.an_offer(FILES)), driver.name)


def test_a_driver_says_its_name_and_that_it_is_well(driver: Channel) -> None:
    assert channel(driver.name) is driver
    assert driver.health() == ""


def test_a_channel_that_is_ill_makes_the_exchange_unready(driver: Channel, settings, tmp_path) -> None:
    assert due.delivery_channels().is_ok
    (tmp_path / "a file").write_bytes(b"")
    settings.STORAGE_DIR = tmp_path / "a file"
    sign = due.delivery_channels()
    assert not sign.is_ok and sign.is_needed and driver.name in sign.detail


def test_an_offer_it_can_deliver_has_nothing_against_it(driver: Channel) -> None:
    assert driver.check(rows.an_offer(FILES)) == []


def test_an_offer_without_a_release_cannot_be_delivered(driver: Channel) -> None:
    [obstacle] = driver.check(rows.an_offer())
    assert obstacle.endswith(".")


def test_opening_twice_gives_the_same_access(driver: Channel, grant: Grant) -> None:
    first = driver.open(grant)
    assert isinstance(first, Access)
    assert driver.open(grant) == first
    assert json.loads(json.dumps(first.facts)) == first.facts, "the facts are kept as JSON"


def test_the_access_names_what_is_delivered_by_digest(driver: Channel, grant: Grant) -> None:
    facts = driver.open(grant).facts
    assert facts["manifest_digest"] == grant.trade.release.digest == digest_of(facts["files"])
    assert [file["path"] for file in facts["files"]] == sorted(FILES)


def test_a_release_that_is_not_there_can_never_be_delivered(driver: Channel) -> None:
    grant = rows.a_grant(rows.a_trade(rows.an_offer()), driver.name)
    with pytest.raises(CannotDeliver):
        driver.open(grant)


def test_a_lost_file_can_never_be_delivered(driver: Channel, grant: Grant) -> None:
    storage.remove(grant.trade.release.files.first().stored_as)
    with pytest.raises(CannotDeliver):
        driver.open(grant)


def test_a_storage_that_is_away_is_tried_again_later(driver: Channel, grant: Grant, settings, tmp_path) -> None:
    (tmp_path / "a file, no folder").write_bytes(b"")
    settings.STORAGE_DIR = tmp_path / "a file, no folder"
    assert driver.health() != ""
    with pytest.raises(TryLater):
        driver.open(grant)


def test_closing_is_safe_at_any_time_and_twice(driver: Channel, grant: Grant) -> None:
    driver.close(grant)
    driver.open(grant)
    driver.close(grant)
    driver.close(grant)


def test_usage_is_what_the_receipts_say_since_then(driver: Channel, grant: Grant) -> None:
    assert list(driver.usage(grant, timezone.now() - dt.timedelta(days=1))) == []
    for size_bytes in (10, 20):
        deliveries.leave_receipt(grant, path="a.csv", sha256="0" * 64, first_byte=0, size_bytes=size_bytes, by=None)
    used = list(driver.usage(grant, timezone.now() - dt.timedelta(minutes=1)))
    assert [(use.path, use.size_bytes) for use in used] == [("a.csv", 10), ("a.csv", 20)]
    assert list(driver.usage(grant, timezone.now() + dt.timedelta(minutes=1))) == []


def test_a_channel_that_is_not_configured_cannot_deliver() -> None:
    with pytest.raises(CannotDeliver, match="carrier_pigeon"):
        channel("carrier_pigeon")
