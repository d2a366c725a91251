"""Secrets the exchange has to use again (to sign, say): encrypted at rest by a key derived from SECRET_KEY.

With SECRET_KEY_FALLBACKS a changed SECRET_KEY still reads what the former one sealed.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def seal(secret: str) -> str:
    """The secret, unreadable without the exchange's key."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret again. Raises cryptography.fernet.InvalidToken where the key is another."""
    return _box().decrypt(sealed.encode()).decode()


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"sealed secrets").derive(key.encode())
    return base64.urlsafe_b64encode(derived)
