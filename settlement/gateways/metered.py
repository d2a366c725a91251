"""Counts every call that a gateway's driver makes to the outside, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from marketplace import metrics

OUTWARD = ("start", "stop", "look_up", "refund", "pay_out", "movements")


class Metered:
    """The driver, with its calls to the outside counted."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._driver, name)
        return _metered(self._driver.name, found) if name in OUTWARD else found


def _metered(gateway: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def counted(*args: Any, **named: Any) -> Any:
        began, outcome = time.monotonic(), "done"
        try:
            return call(*args, **named)
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            metrics.count_call(gateway, call.__name__, outcome, time.monotonic() - began)

    return counted
