"""Encrypts the secrets of two-factor authentication in the database, with a key derived from
SECRET_KEY. SECRET_KEY_FALLBACKS decrypt what older keys encrypted.
"""

import base64
import logging

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

MARK = "fernet:"
"""What is encrypted begins with it."""
FIELDS = ("secret", "seed")
"""Of Authenticator.data: the app's key, and what recovery codes are made of."""


def encrypt(text: str) -> str:
    return MARK + _keys().encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """If no key fits, a random secret, so that every code is wrong: an admin can turn it off."""
    if not stored.startswith(MARK):  # from before secrets were encrypted
        return stored
    try:
        return _keys().decrypt(stored.removeprefix(MARK)).decode()
    except InvalidToken:
        logger.error(
            "A secret of two-factor authentication was encrypted with another"
            " PREFERABLY_SECRET_KEY. Add that key to PREFERABLY_OLD_SECRET_KEYS."
        )
        return str(generate_totp_secret())


def encrypt_again() -> int:
    """Encrypt every secret with the newest key, so that older keys can go. Returns how many could
    not be decrypted; they stay.
    """
    n_lost = 0
    with transaction.atomic():
        for stored in Authenticator.objects.select_for_update().order_by("pk"):
            try:
                new = {name: _again(stored.data[name]) for name in FIELDS if name in stored.data}
            except InvalidToken:
                n_lost += 1
                continue
            stored.data |= new
            stored.save(update_fields=["data"])
    return n_lost


def _again(stored: str) -> str:
    if not stored.startswith(MARK):
        return encrypt(stored)
    return MARK + _keys().rotate(stored.removeprefix(MARK)).decode()


def _keys() -> MultiFernet:
    """The newest first: it encrypts, and all of them decrypt."""
    return MultiFernet(
        [_derived(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


def _derived(secret: str) -> Fernet:
    made = salted_hmac("accounts.login.encryption", "key", secret=secret, algorithm="sha256")
    return Fernet(base64.urlsafe_b64encode(made.digest()))
