"""What every operation of the OpenAPI description has in common: headers, refusals, ways to sign in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

REFUSAL = {
    "type": "object",
    "description": "What was refused, why, and what to do next. Nothing was changed.",
    "required": ["code", "detail", "next"],
    "properties": {
        "code": {"type": "string", "description": "Stable, for programs."},
        "detail": {"type": "string", "description": "A sentence, for people."},
        "next": {"type": "string", "description": "What would remedy it."},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "next": {"type": "string"},
                    "field": {"type": "string"},
                },
            },
        },
    },
}


class Schema(AutoSchema):
    """Adds the headers that every route knows."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        headers = [
            OpenApiParameter(
                "Organisation",
                location=OpenApiParameter.HEADER,
                description="Public id of the organisation to act for, if you belong to several.",
            )
        ]
        if self.method == "POST":
            headers.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    location=OpenApiParameter.HEADER,
                    required=True,
                    description="A text of your own, new for every new request; repeated with it, the first answer.",
                )
            )
        return [*super().get_override_parameters(), *headers]


def describe_refusals(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Say once what every error looks like, and that every operation may answer one."""
    result["components"].setdefault("schemas", {})["Refusal"] = REFUSAL
    answer = {
        "description": "Refused: `{code, detail, next}`.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = answer
    return result


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "marketplace.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "dbt_…"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "marketplace.tokens.PageSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
