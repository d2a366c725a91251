"""The keys of money that is sent once more: a gateway and the ledger know it by its key."""

from __future__ import annotations

import re

_SENT_AGAIN = re.compile(r"(?P<first>.*-r)(?P<number>[0-9]*)", re.DOTALL)


def anew(key: str) -> str:
    """The key of what is sent in place of what had this one: `-r` behind the first, then `-r2`, `-r3`. It stays short
    however often money comes back."""
    again = _SENT_AGAIN.fullmatch(key)
    return f"{again['first']}{int(again['number'] or 1) + 1}" if again else f"{key}-r"
