"""What waits to be done here, and whether this machine may profile, for the health page and the desk of stuck work."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_noop as _

from listings import isolation, private_offers, registration, saved_searches, shelf
from listings.models import Profile, Upload
from listings.states import ProfileState, UploadState
from marketplace import health, heartbeats, scanning

ISOLATION = _("profiler isolation")
PROFILED_WITHIN_SECONDS = 3600  # a profile may take minutes, and others wait for it


def watch() -> None:
    """Tell the health page of every kind of work; called once, when Django has loaded the app."""
    health.register(
        _("releases to profile"),
        lambda: Profile.objects.filter(state=ProfileState.DUE),
        within_seconds=PROFILED_WITHIN_SECONDS,
    )
    health.register(
        _("files to check"),
        lambda: Upload.objects.filter(state=UploadState.CHECKING),
        within_seconds=PROFILED_WITHIN_SECONDS,
    )
    health.register_sign(scanning.sign)
    health.register(_("products to register"), registration.due, since="approved_at")
    health.register(
        _("products to publish"),
        registration.due_to_publish,
        since="current_version__registration__objections_until",
    )
    health.register(_("offers to close"), private_offers.lapsed, since="open_until")
    health.register(_("prices of the shelf to renew"), shelf.to_reprice, since="priced_until")
    health.register(_("saved searches to look for"), saved_searches.due, since=saved_searches.due_since())
    health.register_sign(profiler_isolation)


def note_isolation() -> None:
    """A worker says what its machine grants; measured once a process."""
    walls = isolation.grants()
    heartbeats.note(ISOLATION, {"is_complete": walls.is_complete, "warning": walls.warning})


def profiler_isolation() -> health.Sign:
    """Whether the process in which a worker reads a stranger's file is walled in, as the worker itself found.

    Needed in production, a warning elsewhere.
    """
    found = heartbeats.noted(ISOLATION) or {"is_complete": False, "warning": "No worker has said yet what it grants."}
    return health.Sign(ISOLATION, found["is_complete"], found["warning"], settings.PROFILE_NEEDS_ISOLATION)
