"""The exchange's Celery application in a process that kills itself at one moment, named by its environment.

CRASH_AT is `before`, `within` or `after`, a space, and the dotted name of a function: it is killed when that function
is first called, before it does anything; when it has done everything, in a transaction that is not committed yet; or
when it has returned. The kill is SIGKILL, so nothing is tidied up. CRASH_MARK is a file written just before, which
tells that the moment was reached. Without CRASH_AT it is an ordinary worker.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.db import transaction

from marketplace.celery import app

__all__ = ["app"]


def die() -> None:
    """Leave a mark, then be killed as the kernel or an operator kills."""
    Path(os.environ["CRASH_MARK"]).write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGKILL)


def dying(moment: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with our death at this moment of its first call."""

    @functools.wraps(function)
    def last_call(*arguments: Any, **options: Any) -> Any:
        if moment == "within":
            with transaction.atomic():
                function(*arguments, **options)
                die()
        elif moment == "after":
            function(*arguments, **options)
        die()

    return last_call


def place(moment: str, dotted: str) -> None:
    """Put our death into the function of this name, of a module or of a class in one."""
    path, _dot, name = dotted.rpartition(".")
    try:
        owner: Any = import_module(path)
    except ModuleNotFoundError:
        module, _dot, class_name = path.rpartition(".")
        owner = getattr(import_module(module), class_name)
    function = getattr(owner, name)
    is_bound = hasattr(function, "__self__")  # a class method, already bound to the class it is looked up on
    setattr(owner, name, staticmethod(dying(moment, function)) if is_bound else dying(moment, function))


def end_with(parent: int) -> None:
    """Leave no worker behind when the tests themselves are killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if at := os.environ.get("CRASH_AT"):
    django.setup()
    place(*at.split())
threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
