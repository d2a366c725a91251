"""Ring for a worker: a hint that something is due, never the only way it is found."""

from __future__ import annotations

import logging
from typing import Any

from kombu.exceptions import OperationalError

from marketplace import clock

logger = logging.getLogger(__name__)


def ring(task: Any) -> None:
    """Wake a worker for `task`. A bell nobody hears (the broker is away) loses nothing: beat rings again.

    Under a moved clock none is rung: workers live at another time, and who moved it calls the tasks.
    """
    if clock.is_moved():
        return
    try:
        task.apply_async(retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("the bell of %s was not heard: %s", task.name, type(error).__name__)
