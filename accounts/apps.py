"""Registers with Django what `manage.py check` says about an operator's settings."""

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        checks.register(mail_reaches_people, "mail")


def mail_reaches_people(**options: object) -> list[checks.CheckMessage]:
    is_printed = settings.EMAIL_BACKEND.endswith("console.EmailBackend")
    if settings.MODE != "production" or not is_printed:
        return []
    return [
        checks.Warning(
            "Mail goes to the log and reaches nobody. Links to reset a password stand there too.",
            hint="Set EMAIL_URL, for example smtp+tls://user:password@mail.example.org:587.",
            id="preferably.W001",
        )
    ]
