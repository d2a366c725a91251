"""Ends what a killed `up` leaves behind, grandchildren included.

The kernel tells our direct children when we die, but not theirs: pool processes, web workers. This small process
reads, from a pipe that only `up` can write, which process groups run; when the pipe ends it stops them.
Run as a script: `python -I -S guardian.py`. Each line is `start GROUP SIGNAL SECONDS` or `end GROUP`.
"""

import contextlib
import os
import signal
import sys
import time


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        verb, group, *rest = line.split()
        if verb == "start":
            groups[int(group)] = (int(rest[0]), float(rest[1]))
        else:
            groups.pop(int(group), None)
    finish(groups)


def finish(groups: dict[int, tuple[int, float]]) -> None:
    """Signal each group, wait its seconds, then kill it."""
    began = time.monotonic()
    for group, (number, _seconds) in groups.items():
        send(group, number)
    while groups:
        time.sleep(0.05)
        for group, (_number, seconds) in list(groups.items()):
            is_late = time.monotonic() > began + seconds
            if not send(group, signal.SIGKILL if is_late else 0) or is_late:
                del groups[group]


def send(group: int, number: int) -> bool:
    """Whether the group still had a process to send this to; 0 only asks."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
