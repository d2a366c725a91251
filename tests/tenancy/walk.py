"""Every route of the URL configuration, as the URL configuration itself tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Groups of routes that tests of their own go through, with the reason why not one by one.
GROUPS = {
    "/accounts/": "allauth's own pages, about nobody but whoever is signed in",
    "/i18n/": "Django's choice of language, about nobody",
    "/admin/": "Django's admin: its records are all alike and have a test of their own",
}
NOT_IN_A_GROUP = ("/admin/desks/",)


@dataclass(frozen=True)
class Route:
    """An address with its parameters unfilled, and the view behind it."""

    path: str
    view: Any

    @property
    def api_class(self) -> Any:
        """The class of a view of the REST API; None for a function."""
        return getattr(self.view, "cls", None)

    @property
    def methods(self) -> set[str]:
        """The methods a class answers; a function does not tell."""
        return {method for method in METHODS if hasattr(self.api_class, method.lower())}

    @property
    def group(self) -> str:
        """The group this route is gone through with; '' for one that needs a row of its own."""
        if self.path == "/admin/" and self.view.__module__.startswith("marketplace.desks"):
            return ""
        if self.path.startswith(NOT_IN_A_GROUP):
            return ""
        return next((group for group in GROUPS if self.path.startswith(group)), "")


def routes() -> list[Route]:
    """Every route, groups included."""
    return list(_below(get_resolver(), "/"))


def _below(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(path, entry.callback)
        else:
            yield from _below(entry, path)


def filled(path: str, values: dict[str, object]) -> str:
    """The address with its parameters filled in; each must be named, and no other."""
    names = set(re.findall(r"<(?:\w+:)?(\w+)>", path))
    assert names == set(values), f"{path} takes {sorted(names)}, not {sorted(values)}"
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), path)
