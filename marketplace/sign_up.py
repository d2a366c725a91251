"""Signing up: the same answer in the same time, whether or not an address has an account."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest


class SignUp(SignupForm):  # type: ignore[misc]
    """allauth's form, which answers alike for an address that has an account, but twenty times as fast."""

    def try_save(self, request: HttpRequest) -> Any:
        """Hash the password in vain where no account is made: the time it takes would tell who has one."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)
