"""Workers killed while they draw members' papers or tell of those about to expire."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from PIL import Image

from compliance import proofs, tasks
from compliance.models import Proof, ProofPicture
from marketplace import clock, journal
from tests import factories
from tests.crashes.dying import die_at, let_claims_lapse

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = {"compliance.tasks.draw_papers", "compliance.tasks.tell_expiring_papers"}
DRAW = [
    "after compliance.models.Proof.claim_next",
    "after compliance.proofs.draw",
    "after compliance.proofs.record_drawn",
]


def shown() -> Proof:
    member = factories.make_verified()
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "PNG")
    return proofs.add(
        member,
        kind="licence",
        issuer="Registry",
        expires_on=clock.today() + dt.timedelta(days=3),
        content=out.getvalue(),
        by=factories.owner_of(member),
    )


@pytest.mark.parametrize("at", DRAW)
def test_a_paper_is_drawn_once(at: str, own_storage: Path, tmp_path: Path) -> None:
    proof = shown()
    die_at(at, "compliance.tasks.draw_papers", tmp_path)
    let_claims_lapse()
    tasks.draw_papers()
    proof.refresh_from_db()
    assert proof.drawn_at is not None
    assert ProofPicture.objects.count() == 1


def test_a_paper_about_to_expire_is_told_once(own_storage: Path, tmp_path: Path) -> None:
    proof = shown()
    die_at("after compliance.proofs._tell", "compliance.tasks.tell_expiring_papers", tmp_path)
    tasks.tell_expiring_papers()
    kinds = list(journal.of(proof.organisation).values_list("kind", flat=True))
    assert kinds.count("proof.expiring") == 1
