"""Letters: in the reader's language, from this exchange, with links to its own address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import translation

from marketplace import languages, letters, participants
from marketplace.models import User
from tests import factories

pytestmark = pytest.mark.django_db

SUBJECTS = {
    "en": "Confirm your e-mail address for Databourse",
    "zh-hans": "请确认您在Databourse的电子邮件地址",
    "zh-hant": "請確認你在Databourse的電郵地址",
}


@pytest.fixture(autouse=True)
def english_again(settings: Any) -> Iterator[None]:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://exchange.example", ["*"]
    with translation.override("en"):
        yield


@pytest.mark.parametrize("language", SUBJECTS)
def test_the_first_letter_is_in_the_language_of_the_page(language):
    client = Client(headers={"Accept-Language": language, "Host": "elsewhere.localhost"})
    client.post("/accounts/signup/", {"email": "new@example.com", "password1": "a long enough passphrase"})
    (letter,) = mail.outbox
    assert letter.subject == SUBJECTS[language]
    assert re.search(r"https://exchange\.example/accounts/confirm-email/\S+", letter.body)
    assert "localhost" not in letter.body and "testserver" not in letter.body
    assert "Databourse\nhttps://exchange.example" in letter.body


def _person(language: str) -> User:
    person = factories.make_user("reader@example.com")
    person.set_password("a long enough passphrase")
    person.language = language
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def test_a_letter_is_in_the_language_of_its_reader_whoever_asked_for_it():
    _person("zh-hant")
    Client(headers={"Accept-Language": "en"}).post("/accounts/password/reset/", {"email": "reader@example.com"})
    (letter,) = mail.outbox
    assert letter.subject == "Databourse：設定新密碼"
    assert "https://exchange.example/accounts/password/reset/key/" in letter.body


@pytest.mark.parametrize(
    ("path", "email", "said"),
    [
        ("/accounts/password/reset/", "nobody@example.com", "no account with your address"),
        ("/accounts/signup/", "reader@example.com", "an account at Databourse already"),
    ],
)
def test_other_letters_are_ours_too(path, email, said):
    _person("en")
    Client().post(path, {"email": email, "password1": "a long enough passphrase"})
    (letter,) = mail.outbox
    assert said in letter.subject
    assert "https://exchange.example/accounts/" in letter.body


def test_signing_in_and_choosing_a_language_are_remembered():
    person = _person("")
    client = Client(headers={"Accept-Language": "zh-hans"})
    client.post("/accounts/login/", {"login": person.email, "password": "a long enough passphrase"})
    person.refresh_from_db()
    assert person.language == "zh-hans"
    client.post("/i18n/setlang/", {"language": "zh-hant"})
    person.refresh_from_db()
    assert person.language == "zh-hant"
    client.post("/i18n/setlang/", {"language": "xx"})
    person.refresh_from_db()
    assert person.language == "zh-hant"


def test_an_invitation_is_in_the_language_of_the_invited_where_it_is_known():
    _person("zh-hans")
    seller = factories.make_organisation("Example Limited")
    invitation, secret = participants.invite(
        seller, email="reader@example.com", role="viewer", by=factories.owner_of(seller)
    )
    mail.outbox.clear()
    letters.send_invitation(invitation, secret)
    (letter,) = mail.outbox
    assert "邀请" in letter.subject
    assert languages.of_address("nobody@example.com") == "en"
