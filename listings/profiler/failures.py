"""How a file that cannot be profiled says why."""

from __future__ import annotations

from typing import Any


def _(sentence: str) -> str:
    """The sentence as it is. The mark is for gettext's tools: it is put into the reader's language when it is shown."""
    return sentence


class Unreadable(Exception):
    """The file cannot be profiled. `code` is stable; `says` with `facts` in the places it names is for the seller.

    Neither quotes a cell of the file.
    """

    def __init__(self, code: str, says: str, **facts: str | int) -> None:
        self.code, self.says, self.facts = code, says, facts
        super().__init__(f"{code}: {says % facts if facts else says}")

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "says": self.says, "facts": self.facts}


def worded(says: str, facts: dict[str, Any]) -> str:
    """The sentence with its facts; as it is where they do not fit, for it comes from the jail."""
    try:
        return says % facts if facts else says
    except (KeyError, TypeError, ValueError):
        return says
