"""The program in the jail: a request on standard input; on standard output the report, or the reason for none."""

from __future__ import annotations

import ctypes
import datetime
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

M_ARENA_MAX = -8  # malloc.h
PROGRESS_PIPE = 3  # where the jail leaves it


def main(input_path: str) -> None:
    """Profile the one file this process can see."""
    spare_address_space()
    import duckdb
    import pyarrow

    from .failures import Unreadable, _
    from .progress import Progress
    from .report import report_on

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    request = json.load(sys.stdin)
    request["as_of"] = datetime.date.fromisoformat(request["as_of"])
    request["progress"] = Progress(PROGRESS_PIPE)
    try:
        answer: dict[str, Any] = report_on(Path(input_path), **request)
    except Unreadable as failure:
        answer = {"failed": failure.as_json()}
    except (MemoryError, duckdb.OutOfMemoryException, pyarrow.ArrowMemoryError):
        says = _("Reading the file needs more memory than a profile may use.")
        answer = {"failed": Unreadable("out_of_memory", says).as_json()}
    sys.stdout.write(json.dumps(finite(answer), ensure_ascii=True, allow_nan=False))
    sys.stdout.flush()
    os._exit(0)  # the engines' threads and pools need no farewell


def spare_address_space() -> None:
    """The memory cap counts address space: keep libraries from reserving gigabytes that they do not use.

    Must come before they are imported. numpy and pandas are kept out, should they be installed: nothing here uses them.
    """
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    os.environ["DUCKDB_JE_MALLOC_CONF"] = "retain:false,narenas:2,oversize_threshold:0"
    sys.modules.update({"numpy": None, "pandas": None})  # type: ignore[dict-item]
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_ARENA_MAX, 2)


def finite(value: Any) -> Any:
    """The same JSON with null where a number is infinite or none (the mean of nothing, a deviation that overflows)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [finite(item) for item in value]
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return value
