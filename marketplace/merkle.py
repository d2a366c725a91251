"""Merkle trees as in RFC 6962 §2.1: hash, root, inclusion and consistency proofs. Pure; SHA-256 throughout.

Functions take leaf hashes (32 bytes, made by `leaf_hash`), because that is what a journal keeps. Leaves are counted
from 0; `size` is a number of leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 ‖ data). The prefix keeps a leaf from passing as an inner node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that is needed to append a leaf and to know the root.

    `hashes` are the roots of the perfect subtrees the tree is made of, largest and leftmost first: one for each bit
    set in `size`. Appending costs O(log size) hashes at worst, two on average.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Raises ValueError when the hashes cannot belong to a tree of that size."""
        self.size = size
        self.hashes = list(hashes)
        if size < 0 or len(self.hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has no frontier of {len(self.hashes)} hashes")
        if any(len(one) != HASH_BYTES for one in self.hashes):
            raise ValueError(f"every hash of a frontier has {HASH_BYTES} bytes")

    @classmethod
    def from_hex(cls, size: int, hashes: Iterable[str]) -> Frontier:
        """The frontier that `to_hex` wrote. Raises ValueError."""
        return cls(size, [bytes.fromhex(one) for one in hashes])

    @classmethod
    def of(cls, leaf_hashes: Iterable[bytes]) -> Frontier:
        """The frontier of a tree with these leaves."""
        frontier = cls()
        for one in leaf_hashes:
            frontier.append(one)
        return frontier

    def to_hex(self) -> list[str]:
        """The hashes for a JSON column; keep `size` beside them."""
        return [one.hex() for one in self.hashes]

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash at the right; returns its index, counted from 0."""
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes, not {len(leaf)}")
        index = self.size
        # Every 1 at the low end of the old size is a perfect subtree that the new leaf completes to one twice as big.
        remaining = index
        while remaining & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            remaining >>= 1
        self.hashes.append(leaf)
        self.size = index + 1
        return index

    def root(self) -> bytes:
        """The root of the tree so far (RFC 6962's MTH)."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree over all these leaves; of no leaves, SHA-256 of nothing."""
    return Frontier.of(leaf_hashes).root()


Range = tuple[int, int]  # leaves from the first on, up to but without the second


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose roots are the audit path of leaf `index` in a tree of `size` leaves, nearest sibling first.

    RFC 6962 §2.1.1. Raises IndexError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError(f"a tree of {size} leaves has no leaf {index}")
    path: list[Range] = []
    around = (0, size)
    while around[1] - around[0] > 1:
        left, right = children(around)
        around, sibling = (left, right) if index < right[0] else (right, left)
        path.append(sibling)
    return path[::-1]


def inclusion_proof(index: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf `index` in the tree over `leaf_hashes`, nearest sibling first. Raises IndexError."""
    return [root(leaf_hashes[start:end]) for start, end in inclusion_ranges(index, len(leaf_hashes))]


def children(parent: Range) -> tuple[Range, Range]:
    """The two subtrees of a subtree of more than one leaf."""
    start, end = parent
    middle = start + _left_size(end - start)
    return (start, middle), (middle, end)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that leaf hash `leaf` stands at `index` in the tree of `size` leaves with this `root`.

    The steps are those of RFC 9162 §2.1.3.2, which verifies the same proofs.
    """
    if not 0 <= index < size:
        return False
    path, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if path & 1 or path == last:
            computed = node_hash(sibling, computed)
            while not path & 1 and path:
                path, last = path >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        path, last = path >> 1, last >> 1
    return last == 0 and computed == root


def consistency_ranges(old_size: int, size: int) -> list[Range]:
    """The subtrees whose roots prove that the first `old_size` leaves are an unchanged beginning (RFC 6962 §2.1.2).

    None when the old tree is empty or is the whole tree. Raises IndexError when it is larger.
    """
    if not 0 <= old_size <= size:
        raise IndexError(f"a tree of {size} leaves has no beginning of {old_size} leaves")
    if old_size in (0, size):
        return []
    proof: list[Range] = []
    start, end, is_old_root = 0, size, True
    while old_size != end:
        middle = start + _left_size(end - start)
        if old_size <= middle:
            proof.append((middle, end))
            end = middle
        else:
            proof.append((start, middle))
            start, is_old_root = middle, False
    if not is_old_root:  # the verifier knows the old root already
        proof.append((start, end))
    return proof[::-1]


def consistency_proof(old_size: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """Proof that the first `old_size` leaves are an unchanged beginning of the tree. Raises IndexError."""
    return [root(leaf_hashes[start:end]) for start, end in consistency_ranges(old_size, len(leaf_hashes))]


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree with `old_root` is an unchanged beginning of the one with `new_root`.

    The steps are those of RFC 9162 §2.1.4.2. The empty tree is a beginning of every tree.
    """
    if not 0 <= old_size <= new_size:
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not proof and old_root == new_root
    # A perfect old tree is itself the first node of the path, and so is left out of the proof.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    if not path:
        return False
    old, new = old_size - 1, new_size - 1
    while old & 1:
        old, new = old >> 1, new >> 1
    computed_old = computed_new = path[0]
    for one in path[1:]:
        if new == 0:
            return False
        if old & 1 or old == new:
            computed_old, computed_new = node_hash(one, computed_old), node_hash(one, computed_new)
            while not old & 1 and old:
                old, new = old >> 1, new >> 1
        else:
            computed_new = node_hash(computed_new, one)
        old, new = old >> 1, new >> 1
    return new == 0 and computed_old == old_root and computed_new == new_root


def _left_size(size: int) -> int:
    """The largest power of two smaller than `size`: how many leaves stand left of the topmost fork."""
    return 1 << (size - 1).bit_length() - 1
