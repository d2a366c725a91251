"""Public numbers of register entries and papers, such as `TR-4K7Q-X9M2-HDPW`.

A number is a two-letter kind, eleven random characters and a check character. The random part carries 55 bits, so
numbers say nothing about how many there are and cannot be tried one after the other. Letters and digits are those
of Crockford's base 32, which has no I, L, O or U: read out over a telephone or typed from paper, a number comes
back as it was. The check character, by ISO/IEC 7064 MOD 37,36 over kind and random part, reveals any one wrong
character and nearly every exchange of two neighbours.
"""

from __future__ import annotations

import secrets
import unicodedata

from django.utils.translation import gettext as _
from stdnum.iso7064 import mod_37_36

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 11
CHECK_CODE_CHARACTERS = 16

PREFIXES: dict[str, str] = {
    "product": "PR",  # the product register
    "trade": "TR",  # the trade register
    "registration_certificate": "RC",
    "listing_certificate": "LC",
    "trade_contract": "CN",
    "delivery_record": "DR",
    "acceptance": "AC",
    "settlement_statement": "ST",
    "trade_certificate": "TC",
    "invoice": "NV",
    "credit_note": "NC",
    "quote": "QT",
}
KINDS: dict[str, str] = {prefix: kind for kind, prefix in PREFIXES.items()}

_ALIKE = str.maketrans("OIL", "011")


class NotANumber(ValueError):
    """The text is not a public number of ours: wrong length, kind, character or check character."""


def new_number(kind: str) -> str:
    """A fresh number of this kind (a key of PREFIXES), drawn at random; KeyError for another kind."""
    prefix = PREFIXES[kind]
    while True:
        body = prefix + _random_text(RANDOM_CHARACTERS)
        check = mod_37_36.calc_check_digit(body)
        # MOD 37,36 may ask for one of the four letters the alphabet leaves out: draw again (costs a sixth of a bit).
        if check in ALPHABET:
            return f"{prefix}-{_grouped(body[2:] + check)}"


def normalise(text: str) -> str:
    """The number a person typed, in the form it is stored: capitals, groups of four, O read as 0, I and L as 1.

    Raises NotANumber.
    """
    typed = _compact(text)
    prefix, rest = typed[:2], typed[2:].translate(_ALIKE)
    if prefix not in KINDS or len(rest) != RANDOM_CHARACTERS + 1 or not set(rest) <= set(ALPHABET):
        raise NotANumber(_("A number has two letters for its kind and twelve characters, like TR-4K7Q-X9M2-HDPW."))
    if not mod_37_36.is_valid(prefix + rest):
        raise NotANumber(
            _("This number has a mistake in it: its check character does not fit. Please compare it again.")
        )
    return f"{prefix}-{_grouped(rest)}"


def is_valid(number: str) -> bool:
    """Whether this could be one of our numbers, however it is typed. Look it up by `normalise(number)`."""
    try:
        normalise(number)
    except NotANumber:
        return False
    return True


def kind_of(number: str) -> str:
    """What a number names, a key of PREFIXES. Raises NotANumber."""
    return KINDS[normalise(number)[:2]]


def new_check_code() -> str:
    """A secret of 80 random bits, printed in a paper's QR code: it shows what the number alone does not."""
    return _grouped(_random_text(CHECK_CODE_CHARACTERS))


def check_code_matches(typed: str, kept: str) -> bool:
    """Whether a typed or scanned check code is the kept one; takes the same time whether or not it is."""
    given = _compact(typed).translate(_ALIKE)
    return secrets.compare_digest(given.encode(), _compact(kept).encode())


def _random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _grouped(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _compact(text: str) -> str:
    """Capitals without spaces and hyphens; full-width letters and digits, as Chinese keyboards give, made plain."""
    folded = unicodedata.normalize("NFKC", text[:64]).upper()
    return "".join(character for character in folded if character not in " -‐‑–—\t\n\r")
