"""What a draft still needs before it can be handed in, as the editor shows it: each thing with its place in the form.

What is left is decided by `reviews.left`, which is what submitting asks; here it is only put into words and places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy

from compliance import reviews
from listings.models import Version

# Where a problem is solved elsewhere than in the form, or its sentence does not say how.
NEXT: dict[str, Any] = {
    "already_in_review": gettext_lazy("Wait for its review, or take it back; then hand this one in."),
    "release_missing": gettext_lazy(
        "Open a release on the product’s page, send its files, seal it, then choose it here."
    ),
    "release_not_sealed": gettext_lazy("Seal it on its page."),
    "profile_not_ready": gettext_lazy("Wait until it has been measured; it takes minutes."),
    "profile_failed": gettext_lazy("Mend the file, send it in a new release, and choose that one here."),
    "core_data": gettext_lazy("Choose another classification only if the data is not core data."),
    "operation_right_needed": gettext_lazy("Obtain the right to operate it, or withdraw the product."),
}
_PARTS = {"titles": "title", "summaries": "summary", "coverage_area": "area"}


@dataclass(frozen=True)
class Left:
    """One thing that is left: what, how to go on, the input of the form it is about ("" for none), and a link."""

    code: str
    detail: str
    next: str
    input: str
    url: str


def of(version: Version) -> list[Left]:
    """Everything that is left, in the order of the form. A fixed number of statements."""
    return [_shown(reason, version) for reason in reviews.left(version)]


def _shown(reason: dict[str, str], version: Version) -> Left:
    code = reason["code"]
    name = input_of(reason.get("field", ""), reason.get("at", ""))
    return Left(
        code=code,
        detail=reason["detail"],
        next=reason.get("next", "") or str(NEXT.get(code, "")),
        input=name,
        url=_url(reason, version) or f"#id_{name}",
    )


def _url(reason: dict[str, str], version: Version) -> str:
    """Where it is solved, if that is not this form."""
    if "field" not in reason:
        return reverse("organisation")
    product = reverse("studio_product", args=[version.listing.public_id])
    elsewhere: dict[str, Callable[[], str]] = {
        "already_in_review": lambda: product,
        "release_not_sealed": lambda: reverse("studio_release", args=[version.listing.public_id, version.release_id]),
    }
    if reason["code"] == "release_missing" and not version.listing.releases.exclude(sealed_at=None).exists():
        return f"{product}#releases"
    return elsewhere[reason["code"]]() if reason["code"] in elsewhere else ""


def input_of(field: str, at: str) -> str:
    """The first input of the editor's form that a field of the manual is written in."""
    if field == "rights":
        return f"{at or 'operation'}_held"
    return f"{_PARTS[field]}_{at or 'en'}" if field in _PARTS else field


def by_section(left: list[Left], sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sections of the form, each with what is left in it."""
    return [
        section | {"id": f"part-{number}", "left": [one for one in left if one.input in _names(section)]}
        for number, section in enumerate(sections, 1)
    ]


def _names(section: dict[str, Any]) -> set[str]:
    return {bound.name for bound in section["fields"]}
