"""The environment that child processes inherit: everything except secrets."""

import os

from django.conf import settings

from training.processes.completions import KEY_PREFIX

SECRETS = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "PREFERABLY_SECRET_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
)


def without_secrets() -> dict[str, str]:
    """The environment without the site's secrets and without endpoint keys. A process that needs
    one is given it explicitly.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name not in SECRETS and not name.startswith(KEY_PREFIX)
    }


def key_of(variable: str) -> str:
    """The key of an endpoint; "" if none is named or set. Other variables are not read."""
    return str(settings.ENDPOINT_KEYS.get(variable, ""))
