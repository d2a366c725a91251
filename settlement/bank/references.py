"""Structured references: what a payer quotes (ISO 11649) and what we quote to the bank (the end-to-end id).

Both follow from our own stable key, so asking twice gives the same one.
"""

from __future__ import annotations

import hashlib
import re

from stdnum.iso7064 import mod_97_10

# Without I, L, O and U, which are misread.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_CHARACTERS = 16  # 80 bits: of a thousand million references no two are expected to be alike
_WRITTEN = re.compile(rf"(?=(RF[0-9]{{2}}[{_LETTERS}]{{{_REFERENCE_CHARACTERS}}}))")
_NOT_A_LETTER = re.compile(r"[^0-9A-Z]")


def reference_of(key: str) -> str:
    """The creditor reference of the payment with this key: `RF`, two check digits (mod 97), sixteen characters."""
    told = _told(key)
    return f"RF{mod_97_10.calc_check_digits(told + 'RF')}{told}"


def end_to_end_id_of(key: str) -> str:
    """What the bank repeats of an instruction with this key, in its answers and statements."""
    return f"DX{_told(key)}"


def in_groups(reference: str) -> str:
    """The reference as people copy it: in groups of four."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def found_in(*texts: str) -> list[str]:
    """Every creditor reference of ours that these texts hold, however spaced, whose check digits are right."""
    found: dict[str, None] = {}
    for text in texts:
        for reference in _WRITTEN.findall(_NOT_A_LETTER.sub("", text.upper())):
            if mod_97_10.is_valid(reference[4:] + reference[:4]):
                found[reference] = None
    return list(found)


def _told(key: str) -> str:
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:10])
    return "".join(_LETTERS[(number >> 5 * place) & 31] for place in reversed(range(_REFERENCE_CHARACTERS)))
