"""Removes addresses that a person no longer has from allauth's table.

allauth writes a row when it makes a link that sets a password. Until now the row stayed when the
address changed, and the old address could still ask for a new password.
"""

from typing import Any

from django.db import migrations
from django.db.models import F
from django.db.models.functions import Lower


def remove_old_addresses(apps: Any, schema_editor: Any) -> None:
    addresses = apps.get_model("account", "EmailAddress").objects
    addresses.exclude(email=Lower(F("user__email"))).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_plain_labels"),
        ("account", "0001_initial"),
    ]
    operations = [migrations.RunPython(remove_old_addresses, migrations.RunPython.noop)]
