"""Samples: the seller lets anybody download the first rows of the current release.

A sample is what the page's preview shows, as measured by the exchange: at most 20 rows of a table, personal columns
masked. Where the rows of a product are withheld, there is no sample either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listings.models import Listing, PublishedSample, Release, Version
from listings.offers import NEVER_AS_FILES
from listings.states import ListingState, ProfileState
from marketplace import clock, journal, roles
from marketplace.errors import NotReady, Refused, WrongState
from marketplace.models import Organisation, User
from marketplace.spreadsheets import csv_of

MAINLAND = "CN"
DICTIONARY_HEAD = ("name", "type", "meaning", "unit", "example", "is_key")


class SampleWithheld(Refused):
    """Rows of data of this class are shown to nobody before it is delivered."""

    code = "sample_withheld"
    says = _("Rows of data of this class are shown to nobody before it is delivered.")
    next = _("Describe the data in the field dictionary.")


@dataclass(frozen=True)
class Table:
    """One table of a sample: its number in the release from 1, its path there, its columns and first rows."""

    number: int
    path: str
    columns: list[str]
    rows: list[list[Any]]


def rows_withheld(version: Version, reader: Organisation | None) -> str | Promise:
    """Why this reader sees no row of the data before buying it; '' where they do. Expects the listing's seller.

    Data that never goes out as files is shown to nobody; what its seller on the mainland does not offer outside of it,
    to those who act for an organisation on the mainland.
    """
    if version.classification in NEVER_AS_FILES:
        return _("Data of this class is never handed out as files, so its rows are not shown here either.")
    seller = version.listing.seller
    is_there = reader is not None and (reader.country == MAINLAND or reader.pk == seller.pk)
    if seller.country == MAINLAND and not version.leaves_mainland and not is_there:
        return _(
            "The seller does not offer this data outside the Chinese mainland. Its first rows are shown to those who "
            "act for an organisation on the mainland."
        )
    return ""


def tables_of(release: Release | None) -> list[Table]:
    """What a sample of this release holds; nothing until it is measured, or where no file is a table."""
    profile = getattr(release, "profile", None)
    if profile is None or profile.state != ProfileState.DONE:
        return []
    previewed = [one for one in profile.report["files"] if one.get("preview")]
    return [
        Table(
            number=number,
            path=one["path"],
            columns=[column["name"] for column in one["columns"]][: len(one["preview"][0])],
            rows=one["preview"],
        )
        for number, one in enumerate(previewed, start=1)
    ]


def standing_of(listing: Listing) -> PublishedSample | None:
    """The sample the seller gives away, if it does."""
    return PublishedSample.objects.standing().filter(listing=listing).first()


@transaction.atomic
def publish(listing: Listing, *, by: User) -> PublishedSample:
    """Let anybody who may see the product download a sample of its current release, now and of later ones.

    Raises RoleNeeded, WrongState for a withdrawn product or a sample that is published already, NotReady where
    nothing was measured to be a sample, and SampleWithheld.
    """
    listing = _locked(listing)
    roles.require(by, listing.seller, "edit_listing")
    if listing.state == ListingState.WITHDRAWN:
        raise WrongState(_("This product is withdrawn."))
    if standing_of(listing):
        raise WrongState(_("A sample of this product is published already."))
    version = listing.current_version
    if version is None or not tables_of(version.release):
        raise NotReady(
            _("There is no measured table to take a sample from."),
            code="nothing_to_sample",
            next=_("Publish a sample once a version with a table was approved and registered."),
        )
    if version.classification in NEVER_AS_FILES:
        raise SampleWithheld()
    published = PublishedSample.objects.create(listing=listing, published_by=by)
    journal.record("sample.published", listing, by=by)
    return published


@transaction.atomic
def withdraw(listing: Listing, *, by: User) -> PublishedSample:
    """Offer the sample no more; what was downloaded stays counted. Raises RoleNeeded, WrongState."""
    listing = _locked(listing)
    roles.require(by, listing.seller, "edit_listing")
    published = standing_of(listing)
    if published is None:
        raise WrongState(_("No sample of this product is published."))
    published.withdrawn_at, published.withdrawn_by = clock.now(), by
    published.save(update_fields=["withdrawn_at", "withdrawn_by"])
    journal.record("sample.withdrawn", listing, by=by)
    return published


def _locked(listing: Listing) -> Listing:
    return Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("seller").get(pk=listing.pk)


# --- what is handed out --------------------------------------------------------------------------------------------


def as_csv(table: Table) -> bytes:
    """The rows of a sample for a spreadsheet; a missing cell is empty."""
    return csv_of(table.columns, (["" if cell is None else str(cell) for cell in row] for row in table.rows))


def dictionary_as_csv(version: Version) -> bytes:
    """The field dictionary for a spreadsheet, a field a row."""
    return csv_of(DICTIONARY_HEAD, ([_said(field.get(name)) for name in DICTIONARY_HEAD] for field in version.fields))


def _said(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
