"""Profiles a file in a disposable process: no network, no host files, no environment, capped memory and time.

`profiler.jail` builds the walls and `profiler.warden` keeps them; this module asks for a report and reads the answer as
what it is: text from a process that has handled a stranger's file. It needs no Django.

The walls need Linux namespaces, which some hosts forbid (containers with a default seccomp profile; macOS has none).
There the process still runs with its memory and time caps, the report says what is missing in `isolation`, `grants()`
tells the health page, and `require_isolation=True`, which production passes, refuses to run.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from listings.profiler import jail, warden
from listings.profiler.failures import _, worded

log = logging.getLogger(__name__)

LEAST_MEMORY_BYTES = 1024**3  # of address space, of which the interpreter and the engines alone map 300 MB
PROFILE = "from profiler import system_calls; system_calls.refuse(); from profiler.__main__ import main; main(INPUT)"
PROBE = "from profiler import system_calls; system_calls.refuse(); from profiler.probe import main; main()"
OUT_OF_MEMORY_SIGNS = ("bad_alloc", "memory allocation of", "MemoryError", "Cannot allocate memory", "Out of Memory")


class ProfileFailed(Exception):
    """The file cannot be profiled. `code` is stable; `says` with `facts` in the places it names is for the seller.

    Codes from here: took_too_long, out_of_memory, broken_file. Codes from the profiler: empty, broken_file, encrypted,
    not_utf8, unknown_encoding, too_large, too_many_columns, line_too_long, out_of_memory, polyglot, has_macros,
    active_content, entities, nested_archive.
    """

    def __init__(self, code: str, says: str, **facts: str | int) -> None:
        self.code, self.says, self.facts = code, says, facts
        super().__init__(f"{code}: {self.sentence}")

    @property
    def sentence(self) -> str:
        """In English, for logs."""
        return worded(self.says, self.facts)


@dataclass(frozen=True)
class Isolation:
    """Which walls stand around a profiling process."""

    network: bool  # a network namespace of its own, with no way out
    files: bool  # a root folder that holds only the interpreter, its packages and the one file
    processes: bool  # a process namespace of its own: it sees and can signal no other
    memory: bool  # a limit that the kernel enforces

    @property
    def is_complete(self) -> bool:
        return self.network and self.files and self.processes and self.memory

    @property
    def warning(self) -> str:
        """What is missing, as a sentence for the operator; empty if nothing is."""
        names = {"network": "network", "files": "file system", "processes": "process", "memory": "memory"}
        missing = [names[wall] for wall, stands in asdict(self).items() if not stands]
        if not missing:
            return ""
        return (
            f"This machine grants no {', '.join(missing)} isolation to the process that reads sellers' files; allow "
            "unprivileged user namespaces (in a container: a seccomp profile that permits unshare and mount)."
        )

    def as_json(self) -> dict[str, bool | str]:
        return {**asdict(self), "warning": self.warning}


class IsolationUnavailable(Exception):
    """This machine does not grant the walls that were required. `sentence` is for the operator."""

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self.sentence = isolation.warning
        super().__init__(self.sentence)


def profile_file(
    path: Path,
    *,
    name: str,
    key_columns: list[str] | None,
    timeout_seconds: int,
    memory_bytes: int,
    update_frequency: str = "",
    as_of: date | None = None,
    require_isolation: bool = False,
    on_progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Describe the file at `path`, called `name` by its seller; `profiler.report` says what the answer holds.

    `key_columns` should identify a row; `update_frequency` is one of `profiler.quality.UPDATE_DAYS`, anything else
    promises nothing; `as_of` is the day to judge timeliness by (default: today, UTC). `memory_bytes` caps the address
    space of the process and is taken as 1 GiB at least; 2 GiB is comfortable, and about a third of it gets used.
    `timeout_seconds` is wall-clock time. `on_progress` hears at most once a second how much (0 to 1) has been read.

    Raises ProfileFailed, and IsolationUnavailable if `require_isolation` and a wall is missing.
    """
    memory_bytes = max(memory_bytes, LEAST_MEMORY_BYTES)
    request = {
        "name": name,
        "key_columns": key_columns or [],
        "update_frequency": update_frequency,
        "as_of": (as_of or datetime.now(UTC).date()).isoformat(),
        "memory_bytes": memory_bytes,
    }
    outcome = warden.run_jailed(
        PROFILE,
        json.dumps(request).encode(),
        input_file=path,
        timeout_seconds=timeout_seconds,
        memory_bytes=memory_bytes,
        all_walls_required=require_isolation,
        on_progress=on_progress,
    )
    isolation = Isolation(**outcome.walls)
    if require_isolation and not isolation.is_complete:
        raise IsolationUnavailable(isolation)
    return read_answer(outcome, timeout_seconds) | {"isolation": isolation.as_json()}


def grants() -> Isolation:
    """What this machine grants, measured once by a process that tries to get out; nothing, if it could not be asked."""
    try:
        return _measured()
    except ValueError:
        return Isolation(**dict.fromkeys(warden.WALLS, False))


@functools.cache
def _measured() -> Isolation:
    """Costs a tenth of a second. Raises ValueError, which is not remembered, if the process gave no answer."""
    outcome = warden.run_jailed(PROBE, timeout_seconds=20, memory_bytes=LEAST_MEMORY_BYTES)
    got_through = json.loads(outcome.answer)
    return Isolation(**{wall: stood and got_through.get(wall) is False for wall, stood in outcome.walls.items()})


def read_answer(outcome: warden.Outcome, timeout_seconds: int) -> dict[str, Any]:
    """The report. Raises ProfileFailed with what went wrong."""
    if outcome.printed_too_much:
        raise ProfileFailed(
            "broken_file", _("The description of the file would be larger than any description should be.")
        )
    if outcome.status in (None, jail.TOOK_TOO_LONG):
        says = _("Reading the file took more than %(seconds)s seconds.")
        raise ProfileFailed("took_too_long", says, seconds=timeout_seconds)
    if outcome.status != 0:
        log.warning("the profiler ended with status %s: %s", outcome.status, where_it_failed(outcome.complaint))
        signs = (sign in outcome.complaint for sign in OUT_OF_MEMORY_SIGNS)
        if outcome.status == 128 + signal.SIGKILL or any(signs):
            raise ProfileFailed("out_of_memory", _("Reading the file needs more memory than a profile may use."))
        raise ProfileFailed(
            "broken_file", _("The file made its reader crash; it is damaged or not what its name says.")
        )
    try:
        answer = without_unstorable(json.loads(outcome.answer))
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict) and isinstance(answer.get("failed"), dict):
        raise _told(answer["failed"])
    if not isinstance(answer, dict) or not isinstance(answer.get("format"), str):
        raise ProfileFailed("broken_file", _("The file made its reader answer nonsense; it is damaged."))
    return answer


def _told(failed: dict[str, Any]) -> ProfileFailed:
    """What the jailed process says, with no more and no longer facts than it has."""
    facts = failed.get("facts")
    kept = {
        str(name)[:40]: value if isinstance(value, int) else str(value)[:100]
        for name, value in list(facts.items() if isinstance(facts, dict) else ())[:8]
    }
    code, says = str(failed.get("code"))[:40], str(failed.get("says"))[:500]
    return ProfileFailed(code, says, **{name: kept[name] for name in kept if name not in ("code", "says", "self")})


def where_it_failed(complaint: str) -> str:
    """The places and the kind of a complaint; its words are left out, because they may quote the file."""
    places = re.findall(r'^  File "[^"\n]+", line \d+, in \w+', complaint, re.MULTILINE)[-5:]
    kinds = re.findall(r"^(?:jail: .*|[\w.]+(?=: ))", complaint, re.MULTILINE)[-3:]
    return "; ".join(place.strip() for place in [*places, *kinds])


def without_unstorable(value: Any) -> Any:
    """The same JSON without what PostgreSQL's jsonb refuses: NUL characters, lone surrogates, infinities."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, list):
        return [without_unstorable(item) for item in value]
    if isinstance(value, dict):
        return {without_unstorable(key): without_unstorable(item) for key, item in value.items()}
    return value
