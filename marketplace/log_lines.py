"""Log lines without what must not be in them: signed links, keys of scripts, and the secrets of letters.

For people one line of words; for machines one JSON object a line (`LOG_FORMAT=json`). Both say to which request or task
they belong.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from marketplace import trails

# What follows these is a secret: of a signed link, a sandbox payment, an invitation, a letter, a script, a paper.
_SECRET = re.compile(
    r"(/data/files/|/sandbox/pay/|/join/|/password/reset/key/|/confirm-email/|\bdbt_|[?&]code=)[^\s/?#\"'<>,)\]]+"
)


def without_secrets(text: str) -> str:
    return _SECRET.sub(r"\1…", text)


class Line(logging.Formatter):
    """One line, tracebacks included, with every secret left out."""

    def format(self, record: logging.LogRecord) -> str:
        trail = trails.current()
        record.trail = f" [{trail.request_id}]" if trail.request_id else ""
        return without_secrets(super().format(record))


class JsonLine(logging.Formatter):
    """One JSON object: `at` (UTC), `level`, `logger`, `message`, the trail's facts, and `traceback` of a failure.

    `extra={"facts": {…}}` adds facts of the line's own.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            "process": record.process,
            **trails.current().facts(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = without_secrets(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = without_secrets(self.formatStack(record.stack_info))
        return json.dumps(line, ensure_ascii=False, default=str)
