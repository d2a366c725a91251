"""How many files this process sends at once: slow readers hold a thread each, and pages need threads too."""

from __future__ import annotations

import threading
from collections import Counter

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Refused

RETRY_AFTER_SECONDS = 10


class TooManyDownloads(Refused):
    """Too many files are being sent just now."""

    code = "too_many_downloads"
    status = 503
    says = _("Too many files are being sent just now.")
    next = _("Ask again in a few seconds; a download goes on from where it stopped.")


_taken: Counter[int] = Counter()
_lock = threading.Lock()


def take(user_id: int) -> None:
    """Count one more download of this person. Raises TooManyDownloads."""
    with _lock:
        if _taken[user_id] >= settings.DOWNLOADS_AT_ONCE_PER_PERSON:
            raise TooManyDownloads(_("You are fetching %(count)s files already."), count=_taken[user_id])
        if _taken.total() >= settings.DOWNLOADS_AT_ONCE:
            raise TooManyDownloads()
        _taken[user_id] += 1


def give_back(user_id: int) -> None:
    """The download ended, however it did."""
    with _lock:
        _taken[user_id] -= 1
        if not _taken[user_id]:
            del _taken[user_id]
