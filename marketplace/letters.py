"""Letters by e-mail: what the exchange writes to people, and, in development, a page to read them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from marketplace import clock, languages, letter_html
from marketplace.models import Invitation, Letter, Membership, User

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
        _mail(subject, render_to_string("marketplace/invitation_letter.txt", context), invitation.email)


def drafted(to: User, subject: str, body: str, language: str, unsubscribe_url: str = "") -> Letter:
    """A letter that is not in the post yet."""
    return Letter(
        to=to.email,
        subject=" ".join(subject.split())[:200],
        body=body,
        language=language,
        unsubscribe_url=unsubscribe_url,
    )


def write(to: User, subject: str, body: str) -> Letter:
    """Put a letter in the language in use into the post, within the caller's transaction; a worker sends it."""
    letter = drafted(to, subject, body, get_language() or settings.LANGUAGE_CODE)
    letter.save()
    return letter


def members(organisation_id: int, roles: Collection[str]) -> QuerySet[User]:
    """Who holds one of these roles in an organisation now."""
    return User.objects.filter(
        is_active=True,
        memberships__organisation=organisation_id,
        memberships__role__in=roles,
        memberships__ended_at=None,
    ).order_by("pk")


def members_of_each(organisation_ids: Collection[int], roles: Collection[str]) -> list[tuple[int, User]]:
    """`members` of several organisations, each person with the id of the organisation. One statement."""
    rows = Membership.objects.filter(
        user__is_active=True, organisation__in=organisation_ids, role__in=roles, ended_at=None
    )
    return [(row.organisation_id, row.user) for row in rows.select_related("user").order_by("organisation", "user")]


def claim_next() -> Letter | None:
    """The next letter to send."""
    return Letter.claim_next(Letter.objects.filter(sent_at=None))


def send(letter: Letter) -> None:
    """Hand it to the mail server; no transaction is open."""
    with override(letter.language):
        _mail(letter.subject, letter.body, letter.to, letter.unsubscribe_url)


def _mail(subject: str, body: str, to: str, unsubscribe_url: str = "") -> None:
    """Plain text, and beside it the same words as HTML in the language in use.

    With `unsubscribe_url` mail programs show a button of their own that posts there (RFC 8058).
    """
    message = EmailMultiAlternatives(subject, body, None, [to])
    message.attach_alternative(letter_html.drawn(subject, body), "text/html")
    if unsubscribe_url:
        message.extra_headers = {
            "List-Unsubscribe": f"<{unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    message.send()


def record_sent(letter: Letter) -> None:
    """The mail server has it."""
    Letter.objects.filter(pk=letter.pk, sent_at=None).update(sent_at=clock.now(), claimed_until=None, error="")


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
