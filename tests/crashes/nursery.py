"""Where workers that are going to be killed are born: a process that has imported everything forks one for each order.

Starting Celery and Django anew for each of more than a hundred deaths costs more than all they do. An order is a line
of JSON on standard input: `at`, `mark`, `log`, `queue`, `storage_dir`, `base_url`. It is answered with two lines: the
worker's process id, and its exit code, negative for the signal that killed it. The end of standard input ends all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402

from tests.crashes.app import app, end_with, place  # noqa: E402

QUICKLY = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel", "INFO"]


def live(order: dict[str, Any]) -> None:
    """Be a worker of one process, a session of its own, until killed."""
    os.setsid()
    said = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, source in ((0, nothing), (1, said), (2, said)):
        os.dup2(source, number)
    os.environ["CRASH_MARK"] = order["mark"]
    settings.STORAGE_DIR, settings.BASE_URL = Path(order["storage_dir"]), order["base_url"]
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    place(*order["at"].split())
    app.worker_main(["worker", "--pool", "solo", "--queues", order["queue"], *QUICKLY])


def main() -> None:
    app.loader.import_default_modules()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever interrupts the tests ends our standard input
    for line in iter(sys.stdin.readline, ""):
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            try:
                live(json.loads(line))
            finally:
                os._exit(1)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
