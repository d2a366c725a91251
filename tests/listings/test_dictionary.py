"""The field dictionary drafted from what was measured: the seller completes it, and loses nothing."""

from __future__ import annotations

import pytest

from listings import dictionary, publishing
from listings.forms import FieldDictionary, lines_of
from marketplace.errors import RoleNeeded, WrongState
from tests import factories

pytestmark = pytest.mark.django_db

TABLE = (
    "waybill,weight_kg,lat,lng,email\n" + "".join(f"W{n},{n}.5,22.{n},114.{n},p{n}@mail.example\n" for n in range(40))
).encode()


def a_draft(fields: list[dict]) -> object:
    version = factories.make_draft()
    release = factories.make_release(version.listing, files={"a.csv": TABLE}, label="drafted")
    return publishing.edit(version, fields=fields, release=release, by=factories.owner_of(version.listing.seller))


def test_every_measured_column_gets_a_line_and_no_meaning():
    version = a_draft([])
    drafted = dictionary.draft_from_profile(version, by=factories.owner_of(version.listing.seller))
    assert drafted.fields == [
        {"name": "waybill", "type": "text", "meaning": "", "unit": "", "is_key": False, "example": "W0"},
        {"name": "weight_kg", "type": "number", "meaning": "", "unit": "kg", "is_key": False, "example": "0.5"},
        {"name": "lat", "type": "number", "meaning": "", "unit": "°", "is_key": False, "example": "22.0"},
        {"name": "lng", "type": "number", "meaning": "", "unit": "°", "is_key": False, "example": "114.0"},
        {"name": "email", "type": "text", "meaning": "", "unit": "", "is_key": False},
    ]
    missing = [problem["detail"] for problem in publishing.problems(drafted) if problem["code"] == "field_unexplained"]
    assert missing[0] == "Field 1 of the dictionary (waybill) needs a name and a meaning."
    assert len(missing) == 5


def test_what_the_seller_wrote_stays():
    written = {"name": "weight_kg", "type": "decimal", "meaning": "Gross weight", "unit": "tonnes", "is_key": False}
    gone = {"name": "gone", "type": "text", "meaning": "No longer there", "unit": "", "is_key": True}
    version = a_draft([gone, written])
    drafted = dictionary.draft_from_profile(version, by=factories.owner_of(version.listing.seller))
    assert drafted.fields[:2] == [gone, {**written, "example": "0.5"}]
    assert [field["name"] for field in drafted.fields[2:]] == ["waybill", "lat", "lng", "email"]
    again = dictionary.draft_from_profile(drafted, by=factories.owner_of(version.listing.seller))
    assert again.fields == drafted.fields


def test_without_a_measured_release_nothing_is_drafted():
    version = a_draft([])
    by = factories.owner_of(version.listing.seller)
    version = publishing.edit(version, release=None, by=by)
    with pytest.raises(WrongState) as refused:
        dictionary.draft_from_profile(version, by=by)
    assert refused.value.code == "not_measured"
    version.refresh_from_db()
    assert version.fields == []


def test_only_who_may_edit_the_product_drafts_its_dictionary():
    version = a_draft([])
    with pytest.raises(RoleNeeded):
        dictionary.draft_from_profile(version, by=factories.make_member(version.listing.seller, "viewer"))
    version.refresh_from_db()
    assert version.fields == []


def test_a_submitted_manual_is_not_drafted_again():
    version = factories.make_listed_product().current_version
    with pytest.raises(WrongState):
        dictionary.draft_from_profile(version, by=factories.owner_of(version.listing.seller))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("distance_km", "km"),
        ("重量（千克）", "千克"),
        ("Price [HKD]", "HKD"),
        ("delay minutes", "min"),
        ("price_min", ""),
        ("humidity_pct", "%"),
        ("km", ""),
        ("item", ""),
    ],
)
def test_units_are_guessed_from_names(name, unit):
    assert dictionary.unit_of(name, "number", "") == unit
    assert dictionary.unit_of(name, "text", "") == ""


def test_the_lines_of_a_form_keep_the_example():
    fields = [
        {"name": "a", "type": "text", "meaning": "One, two", "unit": "", "is_key": True, "example": "x"},
        {"name": "b", "type": "", "meaning": "B", "unit": "", "is_key": False, "example": "y"},
        {"name": "c", "type": "", "meaning": "C", "unit": "", "is_key": False},
    ]
    assert lines_of(fields) == 'a,text,"One, two",,key,x\nb,,B,,,y\nc,,C\n'
    assert FieldDictionary(required=False).clean(lines_of(fields)) == fields
