"""Letters about an objection: to the seller when it is filed, and to both sides when it is decided."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from listings.models import Objection
from listings.states import ObjectionState
from marketplace import letters, roles
from marketplace.models import User


def tell_of_filing(objection: Objection) -> None:
    """Everybody of the seller who may edit the product reads the reason; who objected stays with the exchange."""
    registration = objection.registration
    letters.write_to_each(
        _of_seller(objection),
        lambda: _("An objection to the registration of “%s”") % registration.version.title,
        "listings/objection_letter.txt",
        _about(objection),
    )


def tell_of_decision(objection: Objection) -> None:
    """Who objected, and everybody of the seller who may edit the product, read the decision."""
    registration = objection.registration
    context = _about(objection) | {"is_upheld": objection.state == ObjectionState.UPHELD}
    for people, is_seller in (([objection.by], False), (_of_seller(objection), True)):
        letters.write_to_each(
            people,
            lambda: _("The objection to “%s” is decided") % registration.version.title,
            "listings/objection_decision_letter.txt",
            context | {"is_seller": is_seller},
        )


def _of_seller(objection: Objection) -> list[User]:
    return list(letters.members(objection.registration.holder_id, roles.MEMBER_ACTS["edit_listing"]))


def _about(objection: Objection) -> dict[str, object]:
    registration = objection.registration
    return {
        "objection": objection,
        "registration": registration,
        "version": registration.version,
        "url": settings.BASE_URL + reverse("register_entry", args=[registration.number]),
    }
