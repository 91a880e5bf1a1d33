"""Says whose pseudonym stands in a log line."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from config.monitoring import context


class Command(BaseCommand):
    help = "Prints the person whose pseudonym is in a line of the log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pseudonym")

    def handle(self, *args: object, **options: object) -> None:
        for user in User.objects.only("name", "email").iterator():
            if context.pseudonym(user.pk) == options["pseudonym"]:
                self.stdout.write(f"{user.name}, {user.email}")
                return
        raise CommandError(
            f"Nobody has the pseudonym {options['pseudonym']}. It may be of another secret key, or"
            " of somebody whose account was deleted."
        )
