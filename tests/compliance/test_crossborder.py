"""The interim rule on data that leaves the mainland, fact by fact."""

import pytest

from compliance.crossborder import RULEBOOK, Facts, decide


def facts(**changes: object) -> Facts:
    plain = {
        "seller_country": "CN",
        "buyer_country": "CN",
        "classification": "general_1",
        "has_personal_data": False,
        "channel": "files",
    }
    return Facts(**{**plain, **changes})


@pytest.mark.parametrize("buyer", ["HK", "MO", "TW", "SG", "US"])
@pytest.mark.parametrize(
    ("classification", "has_personal_data"),
    [("general_1", True), ("general_2", False), ("general_3", False), ("general_2", True)],
)
def test_more_than_plain_general_data_does_not_leave_the_mainland(buyer, classification, has_personal_data):
    decision = decide(facts(buyer_country=buyer, classification=classification, has_personal_data=has_personal_data))
    assert not decision.is_allowed
    assert decision.path == "refused"
    assert [reason["code"] for reason in decision.reasons] == ["crossborder_interim"]
    assert decision.rules == ("interim.leaves-mainland",)
    assert decision.sources


@pytest.mark.parametrize("buyer", ["HK", "MO", "SG"])
def test_general_1_without_persons_may_leave(buyer):
    decision = decide(facts(buyer_country=buyer))
    assert (decision.is_allowed, decision.path, decision.reasons) == (True, "free_flow", ())


@pytest.mark.parametrize("classification", ["general_1", "general_2", "general_3"])
@pytest.mark.parametrize("has_personal_data", [False, True])
def test_what_stays_on_the_mainland_is_not_an_export(classification, has_personal_data):
    decision = decide(facts(classification=classification, has_personal_data=has_personal_data))
    assert (decision.is_allowed, decision.path) == (True, "domestic")


@pytest.mark.parametrize("buyer", ["CN", "HK", "US"])
def test_data_that_does_not_come_from_the_mainland_is_not_its_export(buyer):
    decision = decide(facts(seller_country="HK", buyer_country=buyer, classification="general_3"))
    assert (decision.is_allowed, decision.path) == (True, "not_exported")


@pytest.mark.parametrize("classification", ["important", "general_4"])
@pytest.mark.parametrize(("seller", "buyer"), [("CN", "CN"), ("HK", "HK"), ("CN", "HK")])
def test_important_data_and_grade_4_are_never_delivered_as_files(classification, seller, buyer):
    decision = decide(facts(seller_country=seller, buyer_country=buyer, classification=classification))
    codes = [reason["code"] for reason in decision.reasons]
    assert codes == ["not_as_file"] + (["crossborder_interim"] if (seller, buyer) == ("CN", "HK") else [])


def test_core_data_is_never_traded_by_any_channel():
    for channel in ("files", "room"):
        decision = decide(facts(classification="core", channel=channel))
        assert decision.reasons[0]["code"] == "core_data"


def test_a_decision_says_its_path_rules_rulebook_sources_and_facts():
    told = decide(facts(buyer_country="HK", classification="general_2")).as_json()
    assert told["is_allowed"] is False
    assert (told["path"], told["rulebook"]) == ("refused", RULEBOOK)
    assert told["rules"] == ["interim.leaves-mainland"]
    assert any("Cross-Border Data Flows" in source for source in told["sources"])
    assert told["facts"] == {
        "seller_country": "CN",
        "buyer_country": "HK",
        "classification": "general_2",
        "has_personal_data": False,
        "channel": "files",
    }
    assert set(told["reasons"][0]) == {"code", "detail", "next"}
