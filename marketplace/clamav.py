"""ClamAV: asks a running clamd by its INSTREAM command (clamd(8), "COMMANDS").

clamd takes no stream longer than its StreamMaxLength, so a longer file goes in windows of CLAMAV_STREAM_BYTES that
overlap: what is found anywhere in a window is found, what only shows in an archive longer than one is not.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from marketplace.scanning import TryLater
from marketplace.storage import CHUNK_BYTES, Reading

ANSWER_SECONDS = 120
OVERLAP_BYTES = 1024**2
_FOUND = re.compile(r"stream: (?P<name>.+) FOUND")


class ClamAV:
    """The clamd at CLAMAV_ADDRESS."""

    def scan(self, stream: Reading) -> str:
        carried = b""
        while True:
            window = _Window(stream, settings.CLAMAV_STREAM_BYTES, carried)
            if found := self._asked(window):
                return found
            if window.was_last:
                return ""
            carried = window.tail

    def _asked(self, window: _Window) -> str:
        try:
            with contextlib.closing(_connected(settings.CLAMAV_ADDRESS)) as line:
                line.settimeout(ANSWER_SECONDS)
                line.sendall(b"zINSTREAM\0")
                for chunk in window:
                    line.sendall(len(chunk).to_bytes(4, "big") + chunk)
                line.sendall(bytes(4))
                answer = _answer(line)
        except OSError as error:
            raise TryLater(f"clamd does not answer: {type(error).__name__}") from error
        if answer == "stream: OK":
            return ""
        if found := _FOUND.fullmatch(answer):
            return found["name"]
        raise TryLater(f"clamd answers {answer[:200]!r}")


class _Window:
    """A run of the stream of at most so many bytes, after what the last one carried over."""

    def __init__(self, stream: Reading, most_bytes: int, carried: bytes) -> None:
        self._stream, self._most_bytes = stream, max(most_bytes, 2 * OVERLAP_BYTES)
        self.tail = carried
        self.was_last = False

    def __iter__(self) -> Iterator[bytes]:
        left = self._most_bytes - len(self.tail)
        if self.tail:
            yield self.tail
        while left:
            chunk = self._stream.read(min(CHUNK_BYTES, left))
            if not chunk:
                self.was_last = True
                return
            left -= len(chunk)
            self.tail = (self.tail + chunk)[-OVERLAP_BYTES:]
            yield chunk


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(5)
        try:
            line.connect(parts.path)
        except OSError:
            line.close()
            raise
        return line
    return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 3310), timeout=5)


def _answer(line: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 4096 and (more := line.recv(4096)):
        answer += more
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
