"""The WSGI application the web server loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

application = get_wsgi_application()


def settle_down() -> None:
    """Load what the first request would, and keep all that is loaded out of the search for garbage.

    It stays as long as the process does; looking through it made one page in a hundred wait for a quarter of a second.
    """
    get_resolver().url_patterns  # noqa: B018 - reading it loads every view
    gc.collect()
    gc.freeze()


settle_down()
