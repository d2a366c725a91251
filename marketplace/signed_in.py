"""Who is signed in, for views that nobody else reaches."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from marketplace.models import User


def person(request: HttpRequest) -> User:
    """The person signed in; only for views behind `login_required` or a desk's guard."""
    return cast(User, request.user)
