"""Signatures of webhook messages, after Standard Webhooks (standardwebhooks.com): which key signs,
how it is shown to the receiver, and the headers.
"""

import hashlib
import hmac
from base64 import b64encode
from datetime import datetime

from django.utils.crypto import salted_hmac

from accounts.models import Webhook

MARK = "whsec_"
OLD_MARK = "pfw_"
"""Secrets shown by 0.1 had this mark and the key in hex."""


def headers(*, webhook: Webhook, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """During a rotation the previous secret signs too; the receiver may check either. `now` is the
    time of this attempt, so that a receiver can refuse an old message.
    """
    at = str(int(now.timestamp()))
    keys = [_key(webhook, salt) for salt in _salts(webhook, now)]
    signed = f"{message_id}.{at}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(
            f"v1,{b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys
        ),
        # The header of 0.1, until 0.3. Its key is the secret as it was shown, mark included.
        "Preferably-Signature": f"t={at},"
        + ",".join(
            f"v1={hmac.new(shown.encode(), at.encode() + b'.' + body, hashlib.sha256).hexdigest()}"
            for key in keys
            for shown in (_shown(key), OLD_MARK + key.hex())
        ),
    }


def secret_of(webhook: Webhook) -> str:
    """As the receiver gets it: Standard Webhooks' mark, and the key in base64."""
    return _shown(_key(webhook, webhook.salt))


def _shown(key: bytes) -> str:
    return MARK + b64encode(key).decode()


def _salts(webhook: Webhook, now: datetime) -> list[str]:
    is_rotating = webhook.old_salt_until is not None and webhook.old_salt_until > now
    return [webhook.salt, webhook.old_salt] if is_rotating else [webhook.salt]


def _key(webhook: Webhook, salt: str) -> bytes:
    """Derived from the site's key and the webhook's salt: a stolen table alone is not enough to
    sign. The name of the salt is where this code was first, and changing it would change every
    secret.
    """
    name = f"accounts.webhooks.services.{salt}"
    return salted_hmac(name, str(webhook.pk), algorithm="sha256").digest()
