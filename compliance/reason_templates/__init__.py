"""Sentences a reviewer may begin with, as dated data in three languages, by act and reason code.

They are inserted into the form and edited there; what is sent is what the reviewer wrote.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

CURRENT_VERSION = "2026-11"
LANGUAGES = {"en": "English", "zh-hans": "简体", "zh-hant": "繁體"}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Template:
    """One text: for which act and reason code, and its words by language."""

    id: str
    act: str
    reason_code: str
    texts: dict[str, str]


@functools.cache
def every_template(version: str = CURRENT_VERSION) -> tuple[Template, ...]:
    """All of them, in their order."""
    told = json.loads((_FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    return tuple(Template(**template) for template in told["templates"])


def for_act(act: str) -> list[Template]:
    """Those for `request_changes` or `refuse`."""
    return [template for template in every_template() if template.act == act]
