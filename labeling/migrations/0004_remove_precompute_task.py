"""Removes the schedule of a task that no longer exists: Celery beat keeps what was once scheduled,
and would send it for ever.
"""

from typing import Any

from django.db import migrations


def remove_schedule(apps: Any, schema_editor: Any) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(
        name="precompute-texts"
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0003_plain_labels"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(remove_schedule, migrations.RunPython.noop)]
