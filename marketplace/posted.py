"""An act posted from a page: done once for each form that was shown, however often that form is sent.

Every such form carries a key of its own in a hidden field; a double click, a reload or the way back sends it again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Refused
from marketplace.idempotency import once
from marketplace.models import Organisation
from marketplace.signed_in import person

FIELD = "key"
_KEY = re.compile(r"[A-Za-z0-9_-]{16,80}")


class FormNotWhole(Refused):
    """This form lacks the key it was shown with."""

    code = "key_needed"
    status = 400
    says = _("This form lacks the key it was shown with.")
    next = _("Load the page again and send its form.")


def new_key() -> str:
    """The key of a form about to be shown."""
    return secrets.token_urlsafe(18)


def posted_once(request: HttpRequest, organisation: Organisation | None, command: Callable[[], Any]) -> Any:
    """Run `command` the first time this form arrives; later give the same answer, which must be plain data.

    A refusal leaves no trace, so that a mended form may be sent with the same key.
    Raises FormNotWhole, KeyReused and whatever the command raises.
    """
    key = request.POST.get(FIELD, "")
    if not _KEY.fullmatch(key):
        raise FormNotWhole()
    fields = {name: values for name, values in sorted(request.POST.lists()) if name != "csrfmiddlewaretoken"}
    told = {"path": request.path, "fields": fields}
    return once(person(request), organisation, f"page:{key}", told, command)
