"""Creates the first admin of a new site and prints a link that sets their password."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from accounts.login import password_links
from accounts.people import first_admin


class Command(BaseCommand):
    help = (
        "Creates the first admin, who may do everything, and prints a link that works once. Run it"
        " again for a new link, as long as no password is set."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", help="default: what the address has before its @")

    def handle(self, *, email: str, name: str | None, **_options: object) -> None:
        if not settings.SITE_URL:
            raise CommandError(
                "Set PREFERABLY_URL to the address of this site, such as"
                " https://label.example.org: the link begins with it."
            )
        try:
            validate_email(email)
            admin = first_admin.make_first_admin(
                email=email,
                name=name or email.partition("@")[0],
                now=timezone.now(),
            )
        except ValidationError as error:
            raise CommandError(f"“{email}” is not an e-mail address.") from error
        except first_admin.UnableToMakeFirstAdmin as error:
            raise CommandError(error.sentence) from error
        days = settings.PASSWORD_RESET_TIMEOUT // 86_400
        self.stderr.write(
            f"{admin.email} is an admin. Open this link within {days} days to choose a password:"
        )
        self.stdout.write(settings.SITE_URL + password_links.password_link(admin))
