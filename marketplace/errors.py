"""Refusals: what a command raises when it will not do what it was asked.

Each kind has a stable `code`, an HTTP status and a next step, so that API, pages and admin answer alike.
"""

from __future__ import annotations


class Refused(Exception):
    """The command will not do this; nothing was changed."""

    code = "refused"
    status = 409
    next = ""

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        next: str = "",
        status: int = 0,
        reasons: list[dict[str, str]] | None = None,
    ) -> None:
        self.detail = detail or (self.__doc__ or "").strip().split("\n")[0]
        self.code = code or self.code
        self.next = next or self.next
        self.status = status or self.status
        self.reasons = reasons or []
        super().__init__(self.detail)

    def as_json(self) -> dict[str, object]:
        """`{code, detail, next}` and, where several things are wrong at once, `reasons`."""
        answer: dict[str, object] = {"code": self.code, "detail": self.detail, "next": self.next}
        if self.reasons:
            answer["reasons"] = self.reasons
        return answer


class WrongState(Refused):
    """The object is not in a state in which this can be done."""

    code = "wrong_state"
    next = "Load it again and see what can be done now."


class RoleNeeded(Refused):
    """Your role does not allow this act."""

    code = "role_needed"
    status = 403
    next = "Ask an owner of your organisation, or the exchange, for a role that may."


class NotCleared(Refused):
    """Compliance does not clear this."""

    code = "not_cleared"
    status = 403
    next = "See the reasons; each says what would remedy it."


class Invalid(Refused):
    """What was sent cannot be used."""

    code = "invalid"
    status = 422
    next = "Correct what is named and send it again."


class KeyReused(Refused):
    """This idempotency key was used for another request."""

    code = "key_reused"
    status = 422
    next = "Use a new key for a new request."


class SoldOut(Refused):
    """No licence of this offer is left."""

    code = "sold_out"
    next = "Ask the seller for another offer."


class TooLarge(Refused):
    """This is larger than the exchange accepts."""

    code = "too_large"
    status = 413
    next = "Send less, or in parts."


class NotReady(Refused):
    """What this needs is not finished yet."""

    code = "not_ready"
    next = "Try again in a moment."
