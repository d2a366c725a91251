"""Verify an evidence pack offline: python3 verify.py, in the folder the pack was unpacked into.

It needs Python 3 and nothing else; README.md says the same steps in words, so that you can write your own. It ends
with 0 when everything holds, and with 1 and the reasons when something does not.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any


def leaf_of(salt: bytes, entry: str) -> bytes:
    """The leaf of an entry: its commitment, hashed as RFC 6962 hashes leaves."""
    commitment = hashlib.sha256(salt + entry.encode()).hexdigest()
    return hashlib.sha256(b"\x00" + f'{{"commitment":"{commitment}","version":1}}'.encode()).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two hashes, as RFC 6962 hashes inner nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def stands_at(leaf: bytes, position: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Whether the leaf stands at this position of the tree of this size and root (RFC 9162, 2.1.3.2)."""
    path, last, computed = position, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if path & 1 or path == last:
            computed = node(sibling, computed)
            while path and not path & 1:
                path, last = path >> 1, last >> 1
        else:
            computed = node(computed, sibling)
        path, last = path >> 1, last >> 1
    return 0 <= position < size and last == 0 and computed == root


def grew_into(old_size: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
    """Whether the older tree is an unchanged beginning of the newer one (RFC 9162, 2.1.4.2)."""
    if old_size == size:
        return old_root == root and not proof
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    if not 0 < old_size < size or not path:
        return False
    old, new = old_size - 1, size - 1
    while old & 1:
        old, new = old >> 1, new >> 1
    one = two = path[0]
    for sibling in path[1:]:
        if new == 0:
            return False
        if old & 1 or old == new:
            one, two = node(sibling, one), node(sibling, two)
            while old and not old & 1:
                old, new = old >> 1, new >> 1
        else:
            two = node(two, sibling)
        old, new = old >> 1, new >> 1
    return new == 0 and one == old_root and two == root


def faults(folder: Path) -> list[str]:
    """What does not hold, in words; nothing when everything does."""
    pack: dict[str, Any] = json.loads((folder / "journal.json").read_bytes())
    size, root = pack["tree"]["size"], bytes.fromhex(pack["tree"]["root"])
    found, issued = [], {}
    for one in pack["entries"]:
        place = f"entry {one['position']}"
        if one["entry"] is None:
            leaf = bytes.fromhex(one["leaf"])
        else:
            leaf = leaf_of(bytes.fromhex(one["salt"]), one["entry"])
            said = json.loads(one["entry"])
            if said["kind"] == "paper.issued":
                issued[said["facts"]["number"]] = said["facts"]["digest"]
        if not stands_at(leaf, one["position"], size, [bytes.fromhex(part) for part in one["proof"]], root):
            found.append(f"{place} does not stand in the journal as it is shown")
    for path in sorted((folder / "papers").glob("*.json")):
        digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        if path.stem not in issued:
            found.append(f"no entry says that paper {path.stem} was issued")
        elif issued.pop(path.stem) != digest:
            found.append(f"paper {path.stem} is not the one that was issued")
    found += [f"paper {number} is missing" for number in issued]
    for one in pack["heads"]:
        proof = [bytes.fromhex(part) for part in one["proof"]]
        paper = json.loads((folder / "papers" / f"{one['paper']}.json").read_bytes())["journal"]
        if not grew_into(paper["size"], bytes.fromhex(paper["root"]), size, root, proof):
            found.append(f"the journal that paper {one['paper']} names is no beginning of this one")
    return found


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = faults(folder)
    pack = json.loads((folder / "journal.json").read_bytes())
    for fault in found:
        print("WRONG:", fault)
    if not found:
        print(f"OK: {len(pack['entries'])} entries stand in the journal of {pack['tree']['size']} entries")
        print("with the root", pack["tree"]["root"])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
