"""For the pages of the desks: how long something waits, against the target of its queue."""

from __future__ import annotations

import datetime as dt

from django import template

from marketplace import desk_targets

register = template.Library()


@register.filter
def waited_in(since: dt.datetime | None, queue: str) -> desk_targets.Age | None:
    """What `admin/desks/_age.html` shows; None where the queue has no target."""
    return desk_targets.age(queue, since) if since else None
