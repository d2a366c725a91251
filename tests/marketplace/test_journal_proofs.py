"""Proofs out of tree heads: right for every leaf and every older tree, and short however long the journal is."""

from __future__ import annotations

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace import journal, journal_proofs, merkle
from marketplace.models import Seal, User

pytestmark = pytest.mark.django_db


def grown(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The leaves of a journal that was sealed in runs of these sizes."""
    person = User.objects.create_user("ann@example.com")
    for size in sizes:
        monkeypatch.setattr(journal, "SEAL_AT_ONCE", size)
        journal.record_many([("person.joined", person, {"number": number}) for number in range(size)], by=None)
        assert journal.seal() == size
    return [bytes(leaf) for leaf in Seal.objects.order_by("position").values_list("leaf_hash", flat=True)]


@pytest.mark.parametrize("small", [1, 4, 256])
@pytest.mark.parametrize("runs", [[1], [7], [1] * 37, [64], [5, 3, 40, 1, 1, 50], [33, 2, 31, 62]])
def test_every_proof_is_that_of_the_whole_tree(runs, small, monkeypatch):
    leaves = grown(runs, monkeypatch)
    monkeypatch.setattr(journal_proofs, "SMALL", small)
    monkeypatch.setattr(journal_proofs, "LEAVES_AT_ONCE", 2 * small)
    for size in itertools.accumulate(runs):
        whole = merkle.root(leaves[:size])
        paths = {index: merkle.inclusion_ranges(index, size) for index in range(size)}
        older = {begun: merkle.consistency_ranges(begun, size) for begun in range(size + 1)}
        roots = journal_proofs.roots({one for path in (*paths.values(), *older.values()) for one in path})
        for index, path in paths.items():
            assert merkle.verify_inclusion(leaves[index], index, size, [roots[one] for one in path], whole)
        for begun, path in older.items():
            proof = [roots[one] for one in path]
            assert merkle.verify_consistency(begun, size, merkle.root(leaves[:begun]), whole, proof)


def test_a_longer_journal_costs_a_proof_no_more_leaves(monkeypatch):
    leaves = grown([10] * 100, monkeypatch)
    monkeypatch.setattr(journal_proofs, "SMALL", 16)
    read = []
    monkeypatch.setattr(journal_proofs, "_from_leaves", spied(journal_proofs._from_leaves, read))
    for size in (250, 1000):
        read.clear()
        with CaptureQueriesContext(connection) as asked:
            roots = journal_proofs.roots(merkle.inclusion_ranges(101, size))
        proof = [roots[one] for one in merkle.inclusion_ranges(101, size)]
        assert merkle.verify_inclusion(leaves[101], 101, size, proof, merkle.root(leaves[:size]))
        assert sum(end - start for start, end in read) < 150
        assert len(asked) <= 6


def spied(real, read: list[merkle.Range]):
    def from_leaves(small):
        read.extend(small)
        return real(small)

    return from_leaves
