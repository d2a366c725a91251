"""Text that people type: what PostgreSQL can keep and every reader can show."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid, Text


class NotPlain(ValueError):
    """The sentence says what is wrong with the text."""


def cleaned(value: object, longest: int, *, shortest: int = 0, is_one_line: bool = False) -> str:
    """The text without spaces around it, its lines ended by a newline alone.

    Raises NotPlain for what is no text, too long or short, or holds control characters (NUL, a bell) or half a pair of
    surrogates.
    """
    if not isinstance(value, str):
        raise NotPlain(gettext("This is not a text."))
    value = value.replace("\r\n", "\n").strip()
    allowed = "" if is_one_line else "\n\t"
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in allowed for sign in value):
        raise NotPlain(
            gettext("The text holds control characters.") if allowed else gettext("The text is not one line.")
        )
    if len(value) > longest:
        raise NotPlain(gettext("The text is longer than %(longest)s characters.") % {"longest": f"{longest:,}"})
    if len(value) < shortest:
        if shortest == 1:
            raise NotPlain(gettext("The text is missing."))
        raise NotPlain(gettext("The text is shorter than %(shortest)s characters.") % {"shortest": shortest})
    return value


def needed(value: object, otherwise: Text, longest: int, *, shortest: int = 1, code: str = "words_needed") -> str:
    """The text of somebody who has to say something; `otherwise` asks for it. Raises Invalid with `code`."""
    try:
        return cleaned(value, longest, shortest=shortest)
    except NotPlain as wrong:
        raise Invalid(_("%(asked)s %(wrong)s"), code=code, asked=otherwise, wrong=wrong) from None
