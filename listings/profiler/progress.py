"""How far the reading of a file has come: thousandths, told through a pipe that nobody has to empty."""

from __future__ import annotations

import contextlib
import os

FIRST_READING = 0.1  # of the whole work; the passes over the rows share the rest


class Progress:
    """`pipe` is a descriptor to write to; without one nothing is told. What is told never goes back."""

    def __init__(self, pipe: int | None = None) -> None:
        self.pipe = pipe
        self.told = 0
        self.size_bytes = 1
        self.rows_in_all = 1
        self.passes = 1
        self.passes_done = 0

    def bytes(self, read: int) -> None:
        """So many bytes of the first reading are done."""
        self._tell(FIRST_READING * min(1.0, read / self.size_bytes))

    def expect(self, passes: int, rows_in_all: int) -> None:
        """So many passes over so many rows are ahead; a guess too small only makes the end come late."""
        self.passes, self.rows_in_all = max(passes, 1), max(rows_in_all, 1)

    def rows(self, read: int) -> None:
        """So many rows of the present pass are done."""
        self._tell(FIRST_READING + self._share_of_a_pass() * (self.passes_done + min(1.0, read / self.rows_in_all)))

    def passed(self) -> None:
        """One pass is over."""
        self.passes_done += 1
        self._tell(FIRST_READING + self._share_of_a_pass() * self.passes_done)

    def _share_of_a_pass(self) -> float:
        return (1 - FIRST_READING) / self.passes

    def _tell(self, share: float) -> None:
        thousandths = min(int(1000 * share), 999)
        if self.pipe is None or thousandths <= self.told:
            return
        self.told = thousandths
        with contextlib.suppress(OSError):  # a full pipe, or nobody at its end
            os.write(self.pipe, f"{thousandths}\n".encode())
