"""Run a command the first time its key is seen; afterwards give the same answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from marketplace.canonical import digest_of
from marketplace.errors import KeyReused
from marketplace.models import KeyedCommand, Organisation, User

KEPT_DAYS = 30


@transaction.atomic
def once(user: User, organisation: Organisation | None, key: str, request: Any, command: Callable[[], Any]) -> Any:
    """Run `command` the first time `key` is seen, else return its stored answer.

    The unique index is the arbiter: of several at once, one runs and the others wait for its answer. A refusal
    rolls the key back. Raises KeyReused when the key came with another request.
    """
    digest = digest_of(request)
    keyed, is_first = KeyedCommand.objects.get_or_create(
        user=user, organisation=organisation, key=key, defaults={"request_digest": digest}
    )
    if keyed.request_digest != digest:
        raise KeyReused(_("The key %(key)s was used for another request."), key=repr(key))
    if is_first:
        keyed.answer = command()
        keyed.save(update_fields=["answer"])
    return keyed.answer
