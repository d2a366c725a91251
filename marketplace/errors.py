"""Refusals: what a command raises when it will not do what it was asked.

Each kind has a stable `code`, an HTTP status and a next step, so that API, pages and admin answer alike.
"""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

Text = str | Promise


def in_words(*labels: Text) -> Text:
    """Names of states inside a sentence: “declined”, or “agreed or registered”, in the reader's language."""
    return _in_words(*labels)


_in_words = lazy(lambda *labels: gettext(" or ").join(str(label).lower() for label in labels), str)


class Refused(Exception):
    """The command will not do this; nothing was changed.

    `detail` and `next` are said in the language of whoever reads them, with `facts` in the places they name;
    `str()`, which logs and stored errors show, is always English.
    """

    code = "refused"
    status = 409
    says: Text = _("The exchange will not do this; nothing was changed.")  # where no detail is given
    next: Text = ""

    def __init__(
        self,
        detail: Text = "",
        *,
        code: str = "",
        next: Text = "",
        status: int = 0,
        reasons: list[dict[str, str]] | None = None,
        **facts: Any,
    ) -> None:
        self._detail = detail or self.says
        self._facts = facts
        self.code = code or self.code
        self.next = next or self.next
        self.status = status or self.status
        self.reasons = reasons or []
        super().__init__(detail)

    @property
    def detail(self) -> str:
        """The sentence in the reader's language."""
        return str(self._detail) % self._facts if self._facts else str(self._detail)

    def __str__(self) -> str:
        with override("en"):
            return self.detail

    def as_json(self) -> dict[str, object]:
        """`{code, detail, next}` and, where several things are wrong at once, `reasons`."""
        answer: dict[str, object] = {"code": self.code, "detail": self.detail, "next": str(self.next)}
        if self.reasons:
            answer["reasons"] = [
                {name: str(value) if isinstance(value, Promise) else value for name, value in reason.items()}
                for reason in self.reasons
            ]
        return answer


class WrongState(Refused):
    """The object is not in a state in which this can be done."""

    code = "wrong_state"
    says: Text = _("The object is not in a state in which this can be done.")
    next: Text = _("Load it again and see what can be done now.")


class RoleNeeded(Refused):
    """Your role does not allow this act."""

    code = "role_needed"
    status = 403
    says: Text = _("Your role does not allow this act.")
    next: Text = _("Ask an owner of your organisation, or the exchange, for a role that may.")


class NotCleared(Refused):
    """Compliance does not clear this."""

    code = "not_cleared"
    status = 403
    says: Text = _("Compliance does not clear this.")
    next: Text = _("See the reasons; each says what would remedy it.")


class Invalid(Refused):
    """What was sent cannot be used."""

    code = "invalid"
    status = 422
    says: Text = _("What was sent cannot be used.")
    next: Text = _("Correct what is named and send it again.")


class KeyReused(Refused):
    """This idempotency key was used for another request."""

    code = "key_reused"
    status = 422
    says: Text = _("This idempotency key was used for another request.")
    next: Text = _("Use a new key for a new request.")


class SoldOut(Refused):
    """No licence of this offer is left."""

    code = "sold_out"
    says: Text = _("No licence of this offer is left.")
    next: Text = _("Ask the seller for another offer.")


class TooLarge(Refused):
    """This is larger than the exchange accepts."""

    code = "too_large"
    status = 413
    says: Text = _("This is larger than the exchange accepts.")
    next: Text = _("Send less, or in parts.")


class NotReady(Refused):
    """What this needs is not finished yet."""

    code = "not_ready"
    says: Text = _("What this needs is not finished yet.")
    next: Text = _("Try again in a moment.")
