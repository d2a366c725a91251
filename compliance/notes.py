"""Notes of the staff about an organisation: for the staff alone, never changed, with who and when."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance.models import Note
from compliance.reasons import require_sentence
from marketplace import journal, roles
from marketplace.errors import RoleNeeded
from marketplace.models import Membership, Organisation, User


@transaction.atomic
def write(organisation: Organisation, *, text: str, by: User) -> Note:
    """Leave a note: whoever of the staff works with members may, but not about an organisation of their own.

    Raises RoleNeeded, Invalid.
    """
    roles.require_staff(by, "note")
    if Membership.objects.filter(user=by, organisation=organisation, ended_at=None).exists():
        raise RoleNeeded(_("You belong to this organisation."), code="own_organisation", next=_("Tell a colleague."))
    note = Note.objects.create(organisation=organisation, text=require_sentence(text), by=by)
    journal.record("organisation.noted", organisation, by=by, note=note.pk)
    return note
