"""The first administrator, created from a script."""

import io

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from marketplace.models import Event, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal to ask on, even under `pytest -s`


def test_an_administrator_can_sign_in_and_the_journal_knows(client):
    call_command("create_administrator", email="Ada@Exchange.example", name="Ada")
    user = User.objects.get()
    assert (user.email, user.name, user.is_staff, user.staff_roles) == (
        "ada@exchange.example", "Ada", True, ["administrator"],
    )  # fmt: skip
    assert user.check_password(PASSWORD)
    assert EmailAddress.objects.get(user=user).verified
    assert list(Event.objects.values_list("kind", "subject_id")) == [("staff.administrator_created", user.pk)]


def test_asking_for_a_first_one_again_changes_nothing():
    call_command("create_administrator", email="ada@exchange.example")
    call_command("create_administrator", email="bob@exchange.example", first=True)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        ("nobody", PASSWORD, "valid email"),
        ("ada@exchange.example", "short", "too short"),
        ("ada@exchange.example", "", "password in ADMIN_PASSWORD"),
        ("", PASSWORD, "--admin-email"),
    ],
)
def test_what_cannot_be_used_is_refused_and_creates_nobody(monkeypatch, email, password, reason):
    monkeypatch.setenv("ADMIN_PASSWORD", password)
    with pytest.raises(CommandError, match=reason):
        call_command("create_administrator", email=email)
    assert not User.objects.exists()


def test_an_address_is_used_once():
    call_command("create_administrator", email="ada@exchange.example")
    with pytest.raises(CommandError, match="has an account already"):
        call_command("create_administrator", email="ADA@exchange.example")
    assert User.objects.count() == 1
