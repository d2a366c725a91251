"""What waits to be done here, and whether this machine may profile, for the health page and the desk of stuck work."""

from __future__ import annotations

from django.conf import settings

from listings import isolation, registration
from listings.models import Profile, Upload
from listings.states import ProfileState, UploadState
from marketplace import health, scanning

PROFILED_WITHIN_SECONDS = 3600  # a profile may take minutes, and others wait for it


def watch() -> None:
    """Tell the health page of every kind of work; called once, when Django has loaded the app."""
    health.register(
        "releases to profile",
        lambda: Profile.objects.filter(state=ProfileState.DUE),
        within_seconds=PROFILED_WITHIN_SECONDS,
    )
    health.register(
        "files to check",
        lambda: Upload.objects.filter(state=UploadState.CHECKING),
        within_seconds=PROFILED_WITHIN_SECONDS,
    )
    health.register_sign(scanning.sign)
    health.register("products to register", registration.due, since="approved_at")
    health.register(
        "products to publish",
        registration.due_to_publish,
        since="current_version__registration__objections_until",
    )
    health.register_sign(profiler_isolation)


def profiler_isolation() -> health.Sign:
    """Whether a process that reads a stranger's file is walled in; needed in production, a warning elsewhere."""
    walls = isolation.grants()
    return health.Sign("profiler isolation", walls.is_complete, walls.warning, settings.PROFILE_NEEDS_ISOLATION)
