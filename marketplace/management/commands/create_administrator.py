"""Create an administrator of the exchange, who can then appoint the rest of the staff."""

import argparse
import getpass
import os
import sys

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from marketplace import journal
from marketplace.models import User
from marketplace.roles import StaffRole


class Command(BaseCommand):
    """Asks on a terminal for what was not given; the password comes from ADMIN_PASSWORD or is asked for."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--email", default="", help="their e-mail, with which they sign in")
        parser.add_argument("--name", default="", help="their name, as others see it")
        parser.add_argument("--first", action="store_true", help="do nothing where there is an administrator already")

    def handle(self, *, email: str, name: str, first: bool, **_options: object) -> None:
        administrators = User.objects.filter(is_active=True, staff_roles__contains=[StaffRole.ADMINISTRATOR])
        if first and administrators.exists():
            return
        if not sys.stdin.isatty() and not (email and os.environ.get("ADMIN_PASSWORD")):
            raise CommandError(
                "An administrator is needed: give --admin-email (here --email) and the password in ADMIN_PASSWORD, "
                "or run this on a terminal, where it asks."
            )
        email = self._email(email)
        user = create_administrator(email, self._password(email), name=name)
        self.stderr.write(self.style.SUCCESS(f"{user.email} can now sign in as administrator."))

    def _email(self, given: str) -> str:
        while True:
            email = (given or input("E-mail of the administrator: ")).strip().lower()
            try:
                validate_email(email)
                if User.objects.filter(email__iexact=email).exists():
                    raise ValidationError(f"{email} has an account already.")
                return email
            except ValidationError as refusal:
                self._refuse(refusal, given)

    def _password(self, email: str) -> str:
        given = os.environ.get("ADMIN_PASSWORD", "")
        while True:
            password = given or getpass.getpass("Password: ")
            try:
                validate_password(password, User(email=email))
                if not given and getpass.getpass("The same again: ") != password:
                    raise ValidationError("The two differ.")
                return password
            except ValidationError as refusal:
                self._refuse(refusal, given)

    def _refuse(self, refusal: ValidationError, given: str) -> None:
        """Say why and ask again; what was given beforehand would only be the same again. Raises CommandError."""
        if given:
            raise CommandError(" ".join(refusal.messages))
        self.stderr.write(" ".join(refusal.messages))


@transaction.atomic
def create_administrator(email: str, password: str, *, name: str = "") -> User:
    """A member of the staff who may appoint others; their address counts as confirmed."""
    user = User.objects.create_user(
        email, password, name=name, is_staff=True, staff_roles=[StaffRole.ADMINISTRATOR.value]
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    journal.record("staff.administrator_created", user, by=None)
    return user
