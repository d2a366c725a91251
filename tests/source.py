"""Our own source, for tests that read it."""

from __future__ import annotations

import ast
import functools
import importlib
from pathlib import Path

from django.conf import settings

from tests.tenancy.walk import routes

ROOT = Path(settings.BASE_DIR)
APPS = ("marketplace", "listings", "compliance", "settlement")


def sources(*folders: str) -> list[Path]:
    """Our own Python, without migrations."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def place(path: Path, node: ast.AST | None = None) -> str:
    where = str(path.relative_to(ROOT))
    return f"{where}:{node.lineno}" if node is not None else where  # type: ignore[attr-defined]


def is_in(path: Path, *allowed: str) -> bool:
    """Whether the file is one of these, or lies in one of these folders (they end in a stroke)."""
    name = str(path.relative_to(ROOT))
    return any(name == one or (one.endswith("/") and name.startswith(one)) for one in allowed)


def view_modules() -> list[Path]:
    """The modules that views live in."""
    found = {(route.api_class or route.view).__module__ for route in routes()}
    own = sorted(name for name in found if name.startswith(APPS))
    return [Path(str(importlib.import_module(name).__file__)) for name in own]
