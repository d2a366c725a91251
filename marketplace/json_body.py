"""How the API reads a JSON body, which Django has held to settings.DATA_UPLOAD_MAX_MEMORY_SIZE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonBody(JSONParser):
    """Refuses a body that is nested deeper than Python reads."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as too_deep:
            raise ParseError("This JSON is nested too deeply.") from too_deep
