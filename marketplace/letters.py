"""Letters by e-mail: what the exchange writes to people, and, in development, a page to read them."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketplace import languages
from marketplace.models import Invitation

SHOWN_AT_ONCE = 50


def send_invitation(invitation: Invitation, secret: str) -> None:
    """Write to the invited person; called after the invitation is committed."""
    context = {
        "invitation": invitation,
        "exchange_name": settings.EXCHANGE_NAME,
        "url": settings.BASE_URL + reverse("join", args=[secret]),
    }
    with override(languages.of_address(invitation.email)):
        subject = _("%(organisation)s invites you to %(exchange)s") % {
            "organisation": invitation.organisation.name,
            "exchange": settings.EXCHANGE_NAME,
        }
        body = render_to_string("marketplace/invitation_letter.txt", context)
    send_mail(subject, body, None, [invitation.email])


def kept_letters() -> list[dict[str, Any]]:
    """The letters the file backend of development kept, newest first."""
    folder = Path(settings.EMAIL_FILE_PATH)
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    letters: list[dict[str, Any]] = []
    for path in files[:SHOWN_AT_ONCE]:
        # The backend writes one file a connection, its letters apart by a line of 79 dashes.
        for written in reversed(path.read_bytes().split(b"\n" + b"-" * 79 + b"\n")):
            if written.strip():
                letters.append(_read(written))
    return letters[:SHOWN_AT_ONCE]


def _read(written: bytes) -> dict[str, Any]:
    message = email.message_from_bytes(written, policy=email.policy.default)
    body = message.get_body(preferencelist=("plain",))
    return {
        "subject": str(message["Subject"] or ""),
        "to": str(message["To"] or ""),
        "date": str(message["Date"] or ""),
        "body": body.get_content() if body else "",
    }
