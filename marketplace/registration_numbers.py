"""Registration numbers of organisations, checked by kind as far as the number itself can be checked.

A well-formed number says nothing about who holds it: that is for the people who vet the applicant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from django.utils.translation import gettext
from stdnum.cn import uscc
from stdnum.iso7064 import mod_97_10

LONGEST_OTHER_CHARACTERS = 40

# GB 32100-2015 table 1: digits and capitals without I, O, S, V and Z.
_USCC_SHAPE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}")
_HK_CERTIFICATE_SHAPE = re.compile(r"(?P<business>[0-9]{8})(?:-?[0-9]{3}-?(?P<month>[0-9]{2})-?[0-9]{2}-?[0-9A-Z])?")
_LEI_SHAPE = re.compile(r"[0-9A-Z]{18}[0-9]{2}")


class NotARegistrationNumber(ValueError):
    """The number cannot be one of its kind; the sentence says what is wrong with it."""


def check(kind: str, number: str) -> str:
    """The number in the one form we keep; kinds are `uscc`, `hk_br`, `lei` and `other`.

    Raises NotARegistrationNumber, with a sentence for the applicant; KeyError for another kind.
    """
    return _CHECKS[kind](unicodedata.normalize("NFKC", number[:200]).strip().upper())


def _mainland(number: str) -> str:
    """A unified social credit code: 18 characters; two of the register, six digits of the region, nine of the
    organisation, and the check character of GB 32100-2015 §4.

    python-stdnum computes the check character but wants two digits in front, which refuses the letters the standard
    gives to some registers (`N` for rural collectives, `Y` for others): the shape is therefore checked here.
    """
    compact = _without(" -", number)
    if len(compact) != 18:
        raise NotARegistrationNumber(
            gettext(
                "A unified social credit code has 18 characters; this has %(compact)s. It is on the business licence."
            )
            % {"compact": len(compact)}
        )
    if not _USCC_SHAPE.fullmatch(compact):
        raise NotARegistrationNumber(
            gettext(
                "A unified social credit code has digits and capitals without I, O, S, V and Z, and digits "
                "for its region in places 3 to 8."
            )
        )
    if compact[-1] != uscc.calc_check_digit(compact[:-1]):
        raise NotARegistrationNumber(
            gettext("This unified social credit code has a mistake in it: its last character does not fit the others.")
        )
    return compact


def _hong_kong(number: str) -> str:
    """A Hong Kong business registration number: the eight digits, which are also the Unique Business Identifier.

    The whole number of a certificate (12345678-000-01-26-1: business, branch, month, year, check) is accepted and
    its first eight digits kept. Only the shape and the month are checked: no check-digit rule has been published.
    Source: Companies Registry and Inland Revenue Department, www.1823.gov.hk, "What is the Unique Business Identifier".
    """
    found = _HK_CERTIFICATE_SHAPE.fullmatch(_without(" ", number))
    if found is None:
        raise NotARegistrationNumber(
            gettext(
                "A Hong Kong business registration number has 8 digits, the first 8 of the certificate's "
                "number (12345678-000-01-26-1)."
            )
        )
    if found["month"] and not 1 <= int(found["month"]) <= 12:
        raise NotARegistrationNumber(
            gettext("In a certificate's number the month follows the branch; %(month)s is not a month.")
            % {"month": found["month"]}
        )
    if set(found["business"]) == {"0"}:
        raise NotARegistrationNumber(gettext("Eight zeros are not a business registration number."))
    return found["business"]


def _lei(number: str) -> str:
    """A legal entity identifier by ISO 17442: 18 letters and digits and two check digits (ISO/IEC 7064 MOD 97-10)."""
    compact = _without(" -", number)
    if not _LEI_SHAPE.fullmatch(compact):
        raise NotARegistrationNumber(
            gettext("A legal entity identifier has 18 letters and digits and then 2 check digits.")
        )
    if not mod_97_10.is_valid(compact):
        raise NotARegistrationNumber(
            gettext("This legal entity identifier has a mistake in it: its last two digits do not fit the others.")
        )
    return compact


def _other(number: str) -> str:
    """A number of any other register: only its length and characters are checked."""
    written = " ".join(number.split())
    if not 2 <= len(written) <= LONGEST_OTHER_CHARACTERS:
        raise NotARegistrationNumber(
            gettext("A registration number has 2 to %(longest_other_characters)s characters.")
            % {"longest_other_characters": LONGEST_OTHER_CHARACTERS}
        )
    if not all(character.isalnum() or character in " -./()" for character in written):
        raise NotARegistrationNumber(
            gettext("A registration number has letters, digits, spaces and the signs - . / ( ) and no others.")
        )
    if not any(character.isdecimal() for character in written):
        raise NotARegistrationNumber(gettext("A registration number has at least one digit."))
    return written


def _without(left_out: str, text: str) -> str:
    return "".join(character for character in text if character not in left_out)


_CHECKS: dict[str, Callable[[str], str]] = {"uscc": _mainland, "hk_br": _hong_kong, "lei": _lei, "other": _other}
