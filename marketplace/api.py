"""The ground of the REST API: errors as JSON, pages of results, and commands that run once per key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import set_rollback

from marketplace.errors import Invalid, Refused, TooLarge
from marketplace.idempotency import once
from marketplace.models import Organisation

LONGEST_KEY_CHARACTERS = 200
_POSITION = re.compile(r"[0-9]{1,19}", re.ASCII)


# --- errors --------------------------------------------------------------------------------------------------------


class KeyNeeded(Refused):
    """Every POST needs the header Idempotency-Key."""

    code = "key_needed"
    status = 400
    says = _("Every POST needs the header Idempotency-Key.")
    next = _("Send a new random text of your own, such as a UUID, and the same one when you repeat the request.")


_NEXT = {
    400: "Correct the request and send it again.",
    401: "Sign in, or send a valid token as `Authorization: Bearer …`.",
    403: "Ask for a role that may.",
    404: "Check the address and for which organisation you act.",
    405: "See the API's documentation for what can be done here.",
    406: "Ask for application/json.",
    415: "Send application/json.",
    429: "Wait as long as Retry-After says.",
}


def answer_refusals(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error as `{code, detail, next}` and, where several things are wrong at once, `reasons`."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge(
            _("A body has at most %(data_upload_max_memory_size)s bytes; files go in parts."),
            data_upload_max_memory_size=f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,}",
        )
    if isinstance(error, Refused):
        set_rollback()
        return Response(error.as_json(), status=error.status)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    if isinstance(error, exceptions.ValidationError):
        refusal = Invalid(_("Some of what was sent cannot be used."), reasons=_reasons(error.get_full_details()))
        return Response(refusal.as_json(), status=400, headers=headers)
    answer = {
        "code": str(error.get_codes()),
        "detail": str(error.detail),
        "next": _NEXT.get(error.status_code, "Try again later."),
    }
    return Response(answer, status=error.status_code, headers=headers)


def _reasons(details: Any, field: str = "") -> list[dict[str, str]]:
    """The validation errors of a serializer, flat: one reason a mistake, with the path of its field."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        # What was sent may be quoted, half a pair of surrogates included, which no answer can be written with.
        message = str(details["message"]).encode("utf-8", "replace").decode()
        return [{"code": str(details["code"]), "field": field, "detail": message, "next": ""}]
    if isinstance(details, dict):
        return [
            reason
            for name, inner in details.items()
            for reason in _reasons(inner, f"{field}.{name}".strip(".") if name != "non_field_errors" else field)
        ]
    return [reason for inner in details for reason in _reasons(inner, field)]


def broken(request: HttpRequest) -> HttpResponse:
    """Something went wrong on our side: JSON under /api/, else the page."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    answer = {
        "code": "broken",
        "detail": gettext("Something went wrong on our side."),
        "next": gettext("Try again in a moment."),
    }
    return JsonResponse(answer, status=500)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is no such address, not even under /api/v1/ (a line break in it, say): JSON under /api/, else the page."""
    return no_such_route(request) if request.path.startswith("/api/") else defaults.page_not_found(request, exception)


@csrf_exempt
def no_such_route(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any address under /api/v1/ that is none."""
    answer = {"code": "not_found", "detail": gettext("There is no such address."), "next": gettext("See /api/v1/docs.")}
    return JsonResponse(answer, status=404)


class ReadableJSON(JSONParser):
    """JSON as everywhere; what is nested deeper than anybody writes is answered 400, as other nonsense is."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("This JSON is nested too deeply.") from error


# --- answers -------------------------------------------------------------------------------------------------------


class NewestFirst(CursorPagination):
    """`{next, previous, results}`, newest first; `limit` says how many."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Any:
        """Raises NotFound for a cursor that is none of ours: its position is compared with ids."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _POSITION.fullmatch(str(cursor.position)):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor


def read(form: type[Serializer], request: Request) -> dict[str, Any]:
    """The request's body as this serializer reads it. Raises ValidationError, answered 400 with a reason a field."""
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def idempotency_key(request: Request) -> str:
    """The request's Idempotency-Key. Raises KeyNeeded."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > LONGEST_KEY_CHARACTERS or not key.isprintable():
        raise KeyNeeded(
            _("Every POST needs the header Idempotency-Key, of 1 to %(longest_key_characters)s characters."),
            longest_key_characters=LONGEST_KEY_CHARACTERS,
        )
    return key


def acted(
    request: Request,
    organisation: Organisation | None,
    body: Any,
    command: Callable[[], Mapping[str, Any]],
    *,
    status: int = 200,
    secret_field: str = "",
) -> Response:
    """Run `command` the first time the request's key is seen, and answer with what it gave; later the same answer.

    `command` returns what is answered, after the act, as plain data. `secret_field` names a part of it that is
    answered once and stored nowhere. Raises KeyNeeded, KeyReused and whatever the command raises.
    """
    secret: dict[str, Any] = {}

    def command_without_secret() -> Any:
        answer = dict(command())
        if secret_field:
            secret[secret_field] = answer.pop(secret_field)
        return json.loads(JSONRenderer().render(answer))

    told = {"method": request.method, "path": request.path, "body": json.dumps(body, sort_keys=True, default=str)}
    answer = once(request.user, organisation, idempotency_key(request), told, command_without_secret)
    return Response({**answer, **secret}, status=status)
