"""What the workers leave behind: each task goes on the trail of the request that rang for it, and is counted."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from marketplace import metrics, trails

KEY = "request_id"
_running: dict[str, tuple[float, ExitStack]] = {}


@before_task_publish.connect
def _hand_on(headers: dict[str, Any] | None = None, **_signal: Any) -> None:
    if headers is not None and (request_id := trails.current().request_id):
        headers[KEY] = request_id


@task_prerun.connect
def _begin(task_id: str, task: Any, **_signal: Any) -> None:
    handed_on = getattr(task.request, KEY, None) or ""
    held = ExitStack()
    held.enter_context(trails.follow(trails.Trail(trails.id_for(str(handed_on)), task=task.name)))
    _running[task_id] = (time.monotonic(), held)


@task_postrun.connect
def _end(task_id: str, task: Any, state: str | None = None, **_signal: Any) -> None:
    began, held = _running.pop(task_id, (None, None))
    if began is not None and held is not None:
        metrics.count_task(task.name, state == "SUCCESS", time.monotonic() - began)
        held.close()
