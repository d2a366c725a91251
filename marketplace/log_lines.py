"""Log lines without what must not be in them: signed links, keys of scripts, and the secrets of letters."""

from __future__ import annotations

import logging
import re

# What follows these is a secret: of a signed link, a sandbox payment, an invitation, a letter, a script, a paper.
_SECRET = re.compile(
    r"(/data/files/|/sandbox/pay/|/join/|/password/reset/key/|/confirm-email/|\bdbt_|[?&]code=)[^\s/?#\"'<>,)\]]+"
)


class Line(logging.Formatter):
    """One line, tracebacks included, with every secret left out."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRET.sub(r"\1…", super().format(record))
