"""What a child process inherits from the environment: all but what opens doors that are none of its
business.
"""

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


def harmless() -> dict[str, str]:
    """Without the site's own secrets, and without the keys of endpoints: who needs one is given it
    by name.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name not in SECRETS and not name.startswith(KEY_PREFIX)
    }


def key_of(variable: str) -> str:
    """The key of an endpoint; empty where none is named or none is set. Other variables are not
    read.
    """
    return str(settings.ENDPOINT_KEYS.get(variable, ""))
