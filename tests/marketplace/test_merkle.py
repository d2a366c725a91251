"""The tree against RFC 6962: its published values, its drawn example, and its definitions written out naively."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# Leaves and roots of the reference implementation's tests (github.com/google/certificate-transparency, merkletree).
KNOWN_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 defines it, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = largest_power_below(len(leaves))
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as RFC 6962 §2.1.1 defines it."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(old_size: int, leaves: list[bytes], is_whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 6962 §2.1.2 defines it."""
    if old_size == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if old_size <= k:
        return [*naive_subproof(old_size, leaves[:k], is_whole), naive_root(leaves[k:])]
    return [*naive_subproof(old_size - k, leaves[k:], False), naive_root(leaves[:k])]


def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def numbered_leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_leaf_and_node_hashes_carry_their_own_prefix():
    assert leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert node_hash(b"a" * 32, b"b" * 32) == sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()
    assert root([]) == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_of_the_known_leaves_is_the_known_root(size):
    assert root([leaf_hash(data) for data in KNOWN_LEAVES[:size]]).hex() == KNOWN_ROOTS[size - 1]


def test_a_known_audit_path():
    path = inclusion_proof(0, [leaf_hash(data) for data in KNOWN_LEAVES])
    assert [one.hex() for one in path] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_the_proofs_drawn_in_rfc_6962_section_2_1_3():
    leaves = numbered_leaves(7)
    a, b, c, d, e, f, j = leaves
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, big_l = node_hash(g, h), node_hash(i, j)
    assert root(leaves) == node_hash(k, big_l)
    assert inclusion_proof(0, leaves) == [b, h, big_l]
    assert inclusion_proof(3, leaves) == [c, g, big_l]
    assert inclusion_proof(4, leaves) == [f, j, k]
    assert inclusion_proof(6, leaves) == [i, k]
    assert consistency_proof(3, leaves) == [c, d, g, big_l]
    assert consistency_proof(4, leaves) == [big_l]
    assert consistency_proof(6, leaves) == [i, j, k]


def test_every_tree_up_to_forty_leaves_agrees_with_the_definitions():
    for size in range(1, 41):
        leaves = numbered_leaves(size)
        whole = naive_root(leaves)
        assert root(leaves) == whole
        for index in range(size):
            path = inclusion_proof(index, leaves)
            assert path == naive_path(index, leaves)
            assert verify_inclusion(leaves[index], index, size, path, whole)
        for old_size in range(1, size + 1):
            proof = consistency_proof(old_size, leaves)
            assert proof == naive_subproof(old_size, leaves, True)
            assert verify_consistency(old_size, size, naive_root(leaves[:old_size]), whole, proof)


@given(st.lists(st.binary(max_size=40), max_size=200))
def test_a_frontier_grown_leaf_by_leaf_has_the_root_of_the_definition(data):
    leaves = [leaf_hash(one) for one in data]
    frontier = Frontier()
    for position, leaf in enumerate(leaves):
        assert frontier.append(leaf) == position
        frontier = Frontier.from_hex(frontier.size, frontier.to_hex())
    assert frontier.root() == naive_root(leaves)
    assert (frontier.size, len(frontier.hashes)) == (len(leaves), len(leaves).bit_count())


@given(st.integers(1, 300), st.data())
def test_a_proof_shows_one_leaf_at_one_place_in_one_tree(size, data):
    leaves = numbered_leaves(size)
    index = data.draw(st.integers(0, size - 1))
    path, whole = inclusion_proof(index, leaves), root(leaves)
    assert verify_inclusion(leaves[index], index, size, path, whole)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, path, whole)
    assert not verify_inclusion(leaves[index], index, size, path, leaf_hash(b"another"))
    assert not verify_inclusion(leaves[index], index, size, [*path, whole], whole)
    assert not verify_inclusion(leaves[index], size, size, path, whole)
    assert not verify_inclusion(leaves[index], -1, size, path, whole)
    if path:
        assert not verify_inclusion(leaves[index], index, size, path[:-1], whole)
        other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index))
        assert not verify_inclusion(leaves[index], other, size, path, whole)


@given(st.integers(1, 300), st.data())
def test_no_changed_beginning_passes_for_an_unchanged_one(size, data):
    leaves = numbered_leaves(size)
    old_size = data.draw(st.integers(1, size))
    old, new = root(leaves[:old_size]), root(leaves)
    proof = consistency_proof(old_size, leaves)
    assert verify_consistency(old_size, size, old, new, proof)
    changed = root([leaf_hash(b"changed"), *leaves[1:old_size]])
    assert not verify_consistency(old_size, size, changed, new, proof)
    assert not verify_consistency(old_size, size, old, leaf_hash(b"changed"), proof)
    assert not verify_consistency(old_size, size, old, new, [*proof, new])
    assert not verify_consistency(size + 1, size, old, new, proof)
    if proof:
        assert not verify_consistency(old_size, size, old, new, proof[:-1])


def test_the_empty_tree_is_the_beginning_of_every_tree():
    leaves = numbered_leaves(3)
    assert consistency_proof(0, leaves) == []
    assert verify_consistency(0, 3, EMPTY_ROOT, root(leaves), [])
    assert not verify_consistency(0, 3, root(leaves), root(leaves), [])
    assert not verify_consistency(0, 3, EMPTY_ROOT, root(leaves), [leaves[0]])


def test_proofs_of_what_is_not_there_are_refused():
    with pytest.raises(IndexError, match="no leaf 3"):
        inclusion_proof(3, numbered_leaves(3))
    with pytest.raises(IndexError, match="no beginning of 4"):
        consistency_proof(4, numbered_leaves(3))


@pytest.mark.parametrize(("size", "hashes"), [(3, ["00" * 32]), (1, []), (-1, []), (1, ["00" * 31])])
def test_a_frontier_that_cannot_be_is_refused(size, hashes):
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_hex(size, hashes)


def test_a_leaf_that_is_no_hash_is_refused_and_changes_nothing():
    frontier = Frontier.of(numbered_leaves(3))
    before = (frontier.size, frontier.to_hex())
    with pytest.raises(ValueError, match="32 bytes"):
        frontier.append(b"raw data")
    assert (frontier.size, frontier.to_hex()) == before
