"""Who is told of an objection: the seller when it is filed, both sides when it is decided."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from listings.models import Objection
from marketplace import notifications


def tell_of_filing(objection: Objection) -> None:
    """Everybody of the seller who may edit the product reads the reason; who objected stays with the exchange."""
    notifications.tell(
        "objection.filed",
        organisation=objection.registration.holder_id,
        path=_path(objection),
        facts=_about(objection) | {"quote": objection.reason},
        by=objection.by,
    )


def tell_of_decision(objection: Objection) -> None:
    """Who objected, and everybody of the seller who may edit the product, read the decision."""
    facts = _about(objection) | {"quote": objection.decision}
    path, outcome = _path(objection), objection.state
    notifications.tell(f"own_objection.{outcome}", people=[objection.by], path=path, facts=facts)
    holder = objection.registration.holder_id
    notifications.tell(f"objection.{outcome}", organisation=holder, path=path, facts=facts)


def _path(objection: Objection) -> str:
    return reverse("register_entry", args=[objection.registration.number])


def _about(objection: Objection) -> dict[str, Any]:
    return {"title": objection.registration.version.titles, "number": objection.registration.number}
