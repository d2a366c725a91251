"""Commands that begin at the same instant, in threads with connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from django.db import connection

from marketplace.errors import Refused


def together(commands: Sequence[Callable[[], object]], *, longest_seconds: int = 30) -> list[str]:
    """Run the commands in threads that start together; `done` or the code of the refusal of each that ended."""
    gate = threading.Barrier(len(commands))
    answers: list[str] = []

    def run(command: Callable[[], object]) -> None:
        gate.wait(timeout=10)
        try:
            command()
            answers.append("done")
        except Refused as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(command,)) for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=longest_seconds)
    return answers
