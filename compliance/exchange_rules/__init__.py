"""The rules of the exchange, versioned, in three languages; a member accepts a version, kept with its digest.

A published version's texts never change: a correction is a new folder and a new CURRENT_VERSION.
"""

from __future__ import annotations

import functools
from pathlib import Path

from django.utils.translation import get_language

from marketplace.canonical import digest_of

CURRENT_VERSION = "2026-11"
LANGUAGES = ("en", "zh-hans", "zh-hant")
_FOLDER = Path(__file__).parent


class NoSuchVersion(LookupError):
    """There are no rules of this version."""


def versions() -> list[str]:
    """Every version there has been, newest first."""
    return sorted((folder.name for folder in _FOLDER.iterdir() if (folder / "en.md").is_file()), reverse=True)


@functools.cache
def texts(version: str) -> dict[str, str]:
    """The rules as Markdown, by language. Raises NoSuchVersion."""
    if version not in versions():
        raise NoSuchVersion(version)
    return {language: (_FOLDER / version / f"{language}.md").read_text(encoding="utf-8") for language in LANGUAGES}


@functools.cache
def digest(version: str) -> str:
    """The digest of all language versions together. Raises NoSuchVersion."""
    return digest_of({"version": version, "texts": texts(version)})


def text(version: str) -> str:
    """The rules in the reader's language, else in English. Raises NoSuchVersion."""
    by_language = texts(version)
    return by_language.get(get_language() or "en", by_language["en"])
