"""How a file that cannot be profiled says why."""

from __future__ import annotations


class Unreadable(Exception):
    """The file cannot be profiled. `code` is stable; `sentence` is for the seller and quotes no cell of the file."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")
