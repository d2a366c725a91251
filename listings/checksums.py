"""What `sha256sum` writes, read: the SHA-256 a seller expects of each file. Pure functions.

Both forms are known, `<hex>  <name>` and BSD's `SHA256 (<name>) = <hex>` (GNU coreutils manual, "md5sum invocation").
"""

from __future__ import annotations

import re
import unicodedata

MOST_LINES = 2000
_GNU = re.compile(r"(?P<escaped>\\?)(?P<hex>[0-9a-fA-F]{64}) [ *](?P<name>.+)")
_BSD = re.compile(r"SHA256 \((?P<name>.+)\) = (?P<hex>[0-9a-fA-F]{64})")


def read(text: str) -> dict[str, str]:
    """Digests in lower-case hex by name; lines that are no checksums are passed over."""
    found = {}
    for line in text.splitlines()[:MOST_LINES]:
        if written := _GNU.fullmatch(line) or _BSD.fullmatch(line):
            name = written["name"]
            if written.groupdict().get("escaped"):
                name = name.replace("\\\\", "\\")
            found[unicodedata.normalize("NFC", name).removeprefix("./")] = written["hex"].lower()
    return found


def expected(path: str, digests: dict[str, str]) -> str:
    """The digest of this file: by its whole path, else without its first folders; '' where none is given."""
    while path:
        if path in digests:
            return digests[path]
        path = path.partition("/")[2]
    return ""
