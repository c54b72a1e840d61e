"""Secrets that must be read again, encrypted with a key for each purpose, made of SECRET_KEY."""

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def seal(secret: str, purpose: str) -> bytes:
    """The encrypted secret; `purpose` names its key."""
    return _vault(purpose).encrypt(secret.encode())


def unseal(sealed: bytes, purpose: str) -> str:
    """The secret that `seal` encrypted.

    Raises: InvalidToken when it was sealed with another key.
    """
    return _vault(purpose).decrypt(sealed).decode()


def _vault(purpose: str) -> Fernet:
    key = hashlib.sha256(f"gesdash {purpose}".encode() + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
