"""Encrypts the secrets of two-factor authentication with the newest secret key."""

from django.core.management.base import BaseCommand, CommandError

from accounts.login import encryption


class Command(BaseCommand):
    help = "Encrypts the secrets of two-factor authentication again, with the newest secret key."

    def handle(self, **_options: object) -> None:
        n_lost = encryption.encrypt_again()
        if n_lost:
            raise CommandError(
                f"{n_lost} secrets were encrypted with a key that is not in"
                " PREFERABLY_OLD_SECRET_KEYS. Add it, or turn two-factor authentication off for"
                " these people."
            )
        self.stdout.write("Done. PREFERABLY_OLD_SECRET_KEYS is not needed for two-factor codes.")
