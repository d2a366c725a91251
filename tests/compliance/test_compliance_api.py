"""Vetting, reviews and holds by REST: the same commands, the same refusals, and nothing for strangers."""

import json

import pytest
from django.test import Client

from compliance import exchange_rules, holds, reviews, verification
from compliance.models import Decision, Hold, Review, Verification
from marketplace import tokens
from tests.factories import (
    make_applied,
    make_draft,
    make_listed_product,
    make_member,
    make_organisation,
    make_staff,
    make_verified,
    owner_of,
    tell_all,
)

pytestmark = pytest.mark.django_db

CHECKED = {"act": "approve", "reason_code": "checks_passed", "reason": "Checked the register."}
HELD = {"reason_code": "complaint", "reason": "A complaint."}


class Script:
    """A program that calls the API with a person's token; each POST has a key of its own unless one is given."""

    def __init__(self, person) -> None:
        scopes = ["read", "manage", "sell", *(["staff"] if person.is_staff else [])]
        _token, secret = tokens.create_token(
            user=person, organisation=None, name="script", scopes=scopes, lapses_at=None, by=person
        )
        self.headers, self.posts = {"Authorization": f"Bearer {secret}"}, 0

    def get(self, path: str):
        return Client().get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: object = None, *, key: str = ""):
        self.posts += 1
        headers = {**self.headers, "Idempotency-Key": key or f"key {self.posts}"}
        return Client().post(f"/api/v1{path}", json.dumps(body or {}), content_type="application/json", headers=headers)


def test_an_organisation_applies_reads_why_not_yet_and_is_verified():
    organisation = tell_all(make_organisation())
    owner = Script(owner_of(organisation))
    path = f"/organisations/{organisation.public_id}/application"
    before = owner.get(path).json()
    assert (before["state"], before["reasons"][0]["code"]) == (None, "organisation_not_verified")
    rules = Client().get("/api/v1/rules").json()
    assert set(rules["texts"]) == {"en", "zh-hans", "zh-hant"}
    applied = owner.post(path, {"rules_version": rules["version"]})
    assert (applied.status_code, applied.json()["state"]) == (201, "applied")
    [acceptance] = applied.json()["acceptances"]
    assert (acceptance["rules_digest"], acceptance["by"]) == (rules["digest"], owner_of(organisation).email)

    first, second = Script(make_staff("vetting")), Script(make_staff("vetting"))
    assert [
        row["organisation"]["public_id"] for row in first.get("/verifications?state=applied").json()["results"]
    ] == [organisation.public_id]
    desk = f"/verifications/{organisation.public_id}"
    decision = first.post(f"{desk}/decisions", CHECKED).json()
    assert first.get(desk).json()["pending"]["id"] == decision["id"]
    assert owner.get(path).json()["decisions"] == []
    refused = first.post(f"/decisions/{decision['id']}/confirmation")
    assert (refused.status_code, refused.json()["code"]) == (403, "same_person")
    assert second.post(f"/decisions/{decision['id']}/confirmation").json()["second_by"]
    after = owner.get(path).json()
    assert (after["state"], after["reasons"]) == ("verified", [])
    assert [(told["act"], set(told)) for told in after["decisions"]] == [
        ("approve", {"id", "act", "reason_code", "reason", "proposed_at", "decided_at"})
    ]


def test_one_person_decides_the_rest_and_one_key_decides_once():
    organisation = make_verified()
    vetter = Script(make_staff("vetting"))
    path = f"/verifications/{organisation.public_id}/decisions"
    suspend = {"act": "suspend", "reason_code": "rules_broken", "reason": "A rule was broken."}
    answers = [vetter.post(path, suspend, key="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Decision.objects.filter(act="suspend").count() == 1
    again = vetter.post(path, suspend)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    wrong = vetter.post(path, {"act": "reinstate", "reason_code": "because", "reason": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "no_such_reason")
    assert Verification.objects.get(organisation=organisation).state == "suspended"


def test_a_waiting_decision_can_be_dropped():
    organisation = make_applied()
    first, second = Script(make_staff("vetting")), Script(make_staff("vetting"))
    decision = first.post(f"/verifications/{organisation.public_id}/decisions", CHECKED).json()
    assert second.post(f"/decisions/{decision['id']}/dropping").json()["dropped_at"]
    assert second.post(f"/decisions/{decision['id']}/confirmation").json()["code"] == "wrong_state"


def test_a_seller_hands_in_and_reviewers_decide():
    version = make_draft(make_verified())
    seller = Script(owner_of(version.listing.seller))
    path = f"/listings/{version.listing.public_id}/versions/{version.number}"
    assert seller.post(f"{path}/submission").json()["state"] == "open"
    first, second = Script(make_staff("review")), Script(make_staff("review"))
    [row] = first.get("/reviews?state=open").json()["results"]
    assert (row["title"], row["acts"]) == ("Departures of New York", ["take"])
    review = f"/reviews/{row['id']}"
    assert first.post(f"{review}/assignment").json()["acts"] == ["approve", "request_changes", "refuse"]
    checked = {"answers": [{"item": item["id"], "answer": "yes"} for item in first.get(review).json()["checklist"]]}
    assert first.post(f"{review}/approval", {"answers": []}).json()["code"] == "checklist_not_met"
    assert first.post(f"{review}/approval", {"answers": checked["answers"] * 2}).json()["code"] == "wrong_answer"
    assert first.post(f"{review}/approval", checked).json()["state"] == "seconded"
    assert first.post(f"{review}/approval", checked).json()["code"] == "same_person"
    assert "approve" not in first.get(review).json()["acts"]
    sent_back = second.post(f"{review}/change-request", {"reason_code": "manual_unclear", "reason": "Which airports?"})
    assert sent_back.json()["state"] == "changes_requested"
    own = seller.get(f"{path}/review").json()
    assert (own["state"], own["reason"]) == ("changes_requested", "Which airports?")
    assert set(own) == {"id", "state", "opened_at", "decided_at", "reason_code", "reason", "questions"}


def test_a_question_is_asked_and_answered_by_scripts_and_a_note_stays_with_the_staff():
    version = make_draft(make_verified())
    seller, reviewer = Script(owner_of(version.listing.seller)), Script(make_staff("review"))
    path = f"/listings/{version.listing.public_id}/versions/{version.number}"
    review = f"/reviews/{seller.post(f'{path}/submission').json()['id']}"
    reviewer.post(f"{review}/assignment")
    assert reviewer.post(f"{review}/notes", {"text": "Their lawyer called."}).status_code == 201
    asked = reviewer.post(f"{review}/questions", {"field": "rights", "question": "Which contract?"}).json()
    assert reviewer.get(review).json()["target_state"] == "stands_still"
    own = seller.get(f"{path}/review")
    assert [question["question"] for question in own.json()["questions"]] == ["Which contract?"]
    assert b"lawyer" not in own.content
    answer = f"{path}/questions/{asked['id']}/answer"
    assert seller.post(answer, {"answer": "Contract 12 of 2013."}).json()["answer"] == "Contract 12 of 2013."
    assert seller.post(answer, {"answer": "Another."}).json()["code"] == "wrong_state"
    whole = reviewer.get(review).json()
    assert (whole["target_state"], whole["questions"][0]["answer"]) == ("in_time", "Contract 12 of 2013.")
    assert [note["text"] for note in whole["notes"]] == ["Their lawyer called."]
    assert seller.post(f"{path}/taking-back").json()["state"] == "withdrawn"
    assert [one["act"] for one in reviewer.get(review).json()["decisions"]] == ["take_back"]


def test_an_incomplete_manual_is_answered_with_everything_it_lacks():
    version = make_draft(make_verified(), source_statement="", support_contact="")
    answer = Script(owner_of(version.listing.seller)).post(
        f"/listings/{version.listing.public_id}/versions/1/submission"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "manual_incomplete")
    assert {"source_statement", "support_contact"} <= {reason["field"] for reason in answer.json()["reasons"]}
    assert not Review.objects.exists()


def test_a_hold_is_placed_and_lifted():
    listing = make_listed_product()
    staff = Script(make_staff("disputes"))
    for kind, subject in (("listing", listing.public_id), ("organisation", listing.seller.public_id)):
        placed = staff.post("/holds", {"subject_kind": kind, "subject": subject, **HELD})
        assert placed.status_code == 201
        again = staff.post("/holds", {"subject_kind": kind, "subject": subject, **HELD})
        assert (again.status_code, again.json()["code"]) == (409, "already_held")
        lifted = staff.post(f"/holds/{placed.json()['id']}/lifting", {"reason": "Cleared up."})
        assert lifted.json()["lift_reason"] == "Cleared up."
    assert staff.get("/holds?open=true").json()["results"] == []
    assert len(staff.get("/holds").json()["results"]) == 2
    assert staff.post("/holds", {"subject_kind": "listing", "subject": "none", **HELD}).status_code == 404


STAFF_ROUTES = [
    ("get", "/verifications"),
    ("get", "/verifications/{organisation}"),
    ("get", "/verifications/{organisation}/decisions"),
    ("post", "/verifications/{organisation}/decisions"),
    ("post", "/decisions/{decision}/confirmation"),
    ("post", "/decisions/{decision}/dropping"),
    ("get", "/reviews"),
    ("get", "/reviews/{review}"),
    ("post", "/reviews/{review}/assignment"),
    ("post", "/reviews/{review}/approval"),
    ("post", "/reviews/{review}/change-request"),
    ("post", "/reviews/{review}/refusal"),
    ("get", "/holds"),
    ("post", "/holds"),
    ("post", "/holds/{hold}/lifting"),
]
BODIES = {"reason_code": "complaint", "reason": "x", "act": "refuse", "subject_kind": "listing", "subject": "x"}


def test_the_staffs_routes_open_for_nobody_else():
    applied = make_applied()
    version = make_draft(make_verified())
    review = reviews.submit(version, by=owner_of(version.listing.seller))
    reason = {"reason_code": "checks_passed", "reason": "x"}
    decision = verification.propose(applied.verification, "approve", **reason, by=make_staff("vetting"))
    hold = holds.place("listing", version.listing_id, **HELD, by=make_staff("review"))
    members = [Script(one) for one in (owner_of(applied), make_member(applied, "compliance"), make_staff("clearing"))]
    auditor = Script(make_staff("audit"))
    for method, place in STAFF_ROUTES:
        path = place.format(organisation=applied.public_id, decision=decision.pk, review=review.pk, hold=hold.pk)
        nobody = getattr(Client(), method)(f"/api/v1{path}")
        assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated"), place
        for script in [*members, auditor] if method == "post" else members:
            answer = script.get(path) if method == "get" else script.post(path, BODIES)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_needed"), place
    assert Decision.objects.get(pk=decision.pk).decided_at is None
    assert Review.objects.get().state == "open"
    assert [row.lifted_at for row in Hold.objects.all()] == [None]


def test_a_strangers_version_is_not_found():
    version = make_draft(make_verified())
    stranger = Script(owner_of(make_verified()))
    path = f"/listings/{version.listing.public_id}/versions/{version.number}"
    assert stranger.post(f"{path}/submission").status_code == 404
    assert stranger.get(f"{path}/review").status_code == 404
    viewer = Script(make_member(version.listing.seller, "viewer"))
    answer = viewer.post(f"{path}/submission")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_needed")
    version.refresh_from_db()
    assert version.state == "draft"


def test_a_token_of_staff_without_the_scope_decides_nothing():
    organisation = make_applied()
    vetter = make_staff("vetting")
    _token, secret = tokens.create_token(
        user=vetter, organisation=None, name="x", scopes=["read", "manage"], lapses_at=None, by=vetter
    )
    answer = Client().post(
        f"/api/v1/verifications/{organisation.public_id}/decisions",
        json.dumps(CHECKED),
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_needed")
    assert not Decision.objects.exists()


def test_reason_codes_are_open_to_anyone():
    codes = Client().get("/api/v1/reasons").json()
    assert codes["approve"] == {"checks_passed": "The checks were passed"}
    assert set(codes) >= {"request_more", "refuse", "suspend", "reinstate", "expel", "hold"}


def test_outdated_rules_are_refused():
    organisation = make_organisation()
    answer = Script(owner_of(organisation)).post(
        f"/organisations/{organisation.public_id}/application", {"rules_version": "1999-01"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "rules_outdated")
    assert exchange_rules.CURRENT_VERSION in answer.json()["detail"]
    assert not Verification.objects.exists()
