"""Storage that a worker of its own process can find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> Path:
    """Files of a test lie in its own folder."""
    settings.STORAGE_DIR = tmp_path / "storage"
    return settings.STORAGE_DIR
