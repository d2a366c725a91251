"""How these tests have a file described: here, or by the jailed process itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from listings import isolation
from listings.profiler.report import report_on

AS_OF = datetime.date(2026, 3, 1)
MEMORY_BYTES = 2 * 1024**3


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The report on these bytes, made in this process."""

    def describe(content: bytes | str, name: str = "data.csv", **wishes: Any) -> dict[str, Any]:
        path = tmp_path / "content"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        asked = {"key_columns": [], "update_frequency": "", "as_of": AS_OF, "memory_bytes": MEMORY_BYTES} | wishes
        return report_on(path, name=name, **asked)

    return describe


@pytest.fixture
def profiled(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The report on these bytes, or on a file, made by the disposable process."""

    def profile(content: bytes | str | Path, name: str = "data.csv", **wishes: Any) -> dict[str, Any]:
        path = content if isinstance(content, Path) else tmp_path / "content"
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        asked = {"key_columns": None, "timeout_seconds": 60, "memory_bytes": MEMORY_BYTES, "as_of": AS_OF} | wishes
        return isolation.profile_file(path, name=name, **asked)

    return profile
