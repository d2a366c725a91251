"""The names sellers give the files of a release: which a buyer on any system can keep, and the rest refused.

A name is a relative path of at most ten parts, such as `2013/flights.csv`. It is never used as a path here, but it will
be on a buyer's disk: absolute paths, `..`, reserved and invisible characters end here. `=1+1.csv` is a harmless name;
whoever writes it into a spreadsheet must keep it text.
"""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid

LONGEST_PATH, LONGEST_PART_BYTES, MOST_PARTS = 300, 200, 10
# Microsoft, "Naming Files, Paths, and Namespaces": signs and device names no file may have there.
_SIGNS = set('<>:"|?*\\')
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{name}{number}" for name in ("com", "lpt") for number in "0123456789¹²³"}
# Control signs, surrogates, line and paragraph separators, unassigned; and format signs, which turn writing around.
_CATEGORIES = {"Cc", "Cs", "Cn", "Cf", "Co", "Zl", "Zp"}
# Delivered beside the files, hence not among them.
_OURS = {"sha256sums"}


def cleaned(path: object) -> str:
    """The name in Unicode's composed form (NFC). Raises Invalid `wrong_path`."""
    if not isinstance(path, str):
        raise _refusal(gettext("A file's name is a text."))
    path = unicodedata.normalize("NFC", path)
    if not 1 <= len(path) <= LONGEST_PATH:
        raise _refusal(gettext("A file's name has 1 to %(longest_path)s characters.") % {"longest_path": LONGEST_PATH})
    if path.startswith("/") or path[1:2] == ":":
        raise _refusal(gettext("A file's name is relative: no leading slash, no drive."))
    for sign in path:
        if sign in _SIGNS or unicodedata.category(sign) in _CATEGORIES:
            raise _refusal(gettext("A file's name cannot hold the character %(sign)s.") % {"sign": sign})
    parts = path.split("/")
    if len(parts) > MOST_PARTS:
        raise _refusal(gettext("A file lies at most %(most)s folders deep.") % {"most": MOST_PARTS - 1})
    for part in parts:
        if part in ("", ".", ".."):
            raise _refusal(gettext("No part of a file's name is empty, `.` or `..`."))
        if part[-1] in ". " or part[0] == " ":
            raise _refusal(gettext("No part of a file's name ends in a dot or begins or ends in a space."))
        if len(part.encode()) > LONGEST_PART_BYTES:
            raise _refusal(
                gettext("No part of a file's name is longer than %(longest_part_bytes)s bytes.")
                % {"longest_part_bytes": LONGEST_PART_BYTES}
            )
        if part.split(".")[0].rstrip().lower() in _DEVICES or part.lower() in _OURS:
            raise _refusal(gettext("The name %(part)s is reserved.") % {"part": repr(part)})
    return path


def alike(path: str) -> str:
    """Two names with the same answer cannot lie in one folder everywhere: case and form are set aside."""
    return unicodedata.normalize("NFKC", path).casefold()


def _refusal(detail: str) -> Invalid:
    return Invalid(detail, code="wrong_path", next=_("Rename the file and send it again."))
