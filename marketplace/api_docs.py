"""The OpenAPI document of the API, and a page that says the same in words."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny


@extend_schema(exclude=True)
class SchemaDocument(SpectacularJSONAPIView):
    """The OpenAPI document itself, for anyone."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []


@functools.cache
def _operations() -> list[dict[str, Any]]:
    """Every operation in the order of its path, grouped by the first word of it."""
    document = SchemaGenerator().get_schema(public=True)
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            groups.setdefault(path.removeprefix("/api/v1/").split("/")[0], []).append(
                {
                    "id": operation["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "description": operation.get("description", ""),
                    "parameters": [
                        parameter for parameter in operation.get("parameters", []) if parameter["in"] != "header"
                    ],
                    "needs_key": method == "post",
                    "body": _fields(document, operation.get("requestBody", {})),
                    "answers": [
                        {"status": status, "fields": _fields(document, answer)}
                        for status, answer in operation["responses"].items()
                        if status != "default"
                    ],
                }
            )
    return [{"name": name, "operations": operations} for name, operations in sorted(groups.items())]


def _fields(document: dict[str, Any], holder: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a body: name, type, whether needed, meaning. Follows one reference, as the reader would."""
    content = next(iter(holder.get("content", {}).values()), {})
    schema = _followed(document, content.get("schema", {}))
    if schema.get("type") == "array":
        schema = _followed(document, schema["items"])
    needed = schema.get("required", [])
    return [
        {
            "name": name,
            "type": _type_of(field),
            "is_needed": name in needed,
            "meaning": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _followed(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    return document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def _type_of(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2]
    if "oneOf" in field or "allOf" in field:
        return " | ".join(_type_of(one) for one in field.get("oneOf", field.get("allOf", [])))
    if field.get("type") == "array":
        return f"[{_type_of(field.get('items', {}))}]"
    kind = field.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else field.get("format", kind)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The API in words: every operation, what it takes and what it answers."""
    return render(request, "marketplace/api_docs.html", {"groups": _operations()})
