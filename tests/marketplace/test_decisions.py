"""The list of decisions: who, when, what and why, by officer and day, as a page and as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import holds, reviews, verification
from marketplace import clock
from marketplace.desks.decisions import decided
from tests import factories
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


def test_every_decision_stands_there_for_each_who_decided_with_its_reason():
    applicant = factories.make_applied()
    first, second, reviewer = make_staff("vetting"), make_staff("vetting"), make_staff("review")
    said = {"reason_code": "checks_passed", "reason": "=Register checked."}
    decision = verification.propose(applicant.verification, "approve", by=first, **said)
    verification.confirm(decision, by=second)
    held = holds.place("organisation", applicant.pk, reason_code="complaint", reason="Looked into.", by=first)
    holds.lift(held, reason="Cleared up.", by=first)
    version = factories.make_draft(factories.make_verified())
    review = reviews.submit(version, by=version.listing.seller.created_by)
    reviews.take(review, by=reviewer)
    reviews.request_changes(review, reason_code="quality", reason="Too many gaps.", by=reviewer)
    today = clock.today()
    mine = {"by": first.email, "kind": "", "since": today, "until": today}
    assert [(kind, act, why) for kind, _who, _name, _at, act, why, _about in decided(**mine)] == [
        ("hold_lifted", "complaint", "Cleared up."),
        ("hold", "complaint", "Looked into."),
        ("organisation", "approve", "=Register checked."),
    ]
    seconds = decided(**mine | {"by": second.email, "kind": "organisation_second"})
    assert [(row[0], row[6]) for row in seconds] == [("organisation_second", applicant.public_id)]
    assert not decided(**mine | {"until": today - dt.timedelta(days=1), "since": today - dt.timedelta(days=9)})
    client = Client()
    client.force_login(make_staff("audit"))
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/admin/desks/decisions/").content.decode()
    assert (
        len(asked) < 12
        and "Too many gaps." in page
        and "A complaint is being looked into" in page
        and f"/admin/desks/reviews/{review.pk}/" in page
    )
    answer = client.get("/admin/desks/decisions/", {"format": "csv", "by": first.email})
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert table[0] == ["when", "who", "kind", "act", "about", "why"]
    assert [row[1:] for row in table[3:]] == [
        [first.email, "organisation", "approve", applicant.public_id, "'=Register checked."]
    ]
    for nonsense in ("?since=x&until=y&kind=z&by=%25", "?since=2026-02-01&until=2020-01-01", "?page=x"):
        assert client.get(f"/admin/desks/decisions/{nonsense}").status_code == 200
