"""Turns off a person's two-factor authentication, for an admin whom no other admin can help."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from accounts.people import services
from arithmetic import plain_text


class Command(BaseCommand):
    help = (
        "Turns off the two-factor authentication of the person with this e-mail address: their app,"
        " passkeys and recovery codes. The person gets an e-mail about it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **_options: object) -> None:
        person = User.objects.filter(email=plain_text.mail_address(email)).first()
        if person is None:
            raise CommandError(f"{email} has no account.")
        if services.turn_off_two_factor(user=person, by=None, now=timezone.now()):
            self.stdout.write(f"Two-factor authentication is off for {person.email}.")
        else:
            self.stdout.write(f"Two-factor authentication was off for {person.email} already.")
