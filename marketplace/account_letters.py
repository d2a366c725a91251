"""Letters about one's account, as allauth sends them: in the reader's language, from this exchange, to its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import override

from marketplace import languages, letter_html


@dataclass(frozen=True)
class Exchange:
    """What allauth calls the current site."""

    name: str
    domain: str


class AccountLetters(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's ways, but for what letters say of where they come from."""

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMultiAlternatives:
        """A letter whose links lead to BASE_URL, whatever host the request named."""
        ours = {name: _at_home(value) if name.endswith("_url") else value for name, value in context.items()}
        ours["current_site"] = Exchange(settings.EXCHANGE_NAME, urlsplit(settings.BASE_URL).netloc)
        ours["exchange_name"], ours["base_url"] = settings.EXCHANGE_NAME, settings.BASE_URL
        with override(languages.of_address(email if isinstance(email, str) else email[0])):
            plain = super().render_mail(template_prefix, email, ours, headers)
            letter = EmailMultiAlternatives(
                plain.subject, plain.body, plain.from_email, plain.to, headers=plain.extra_headers
            )
            letter.attach_alternative(letter_html.drawn(str(plain.subject), str(plain.body)), "text/html")
            return letter


def _at_home(url: str) -> str:
    parts = urlsplit(url)
    return settings.BASE_URL + parts._replace(scheme="", netloc="").geturl()
