"""Migrates the database to a release after this one, which adds what a release may add while people
work: DATABASE_URL=… python -m benchmarks.operating.next_release FOLDER

Its migrations are written to FOLDER beside copies of labeling's.
"""

import os
import shutil
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "migrations_of_the_next_release"
COLUMNS = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "LAST")]
    operations = [
        migrations.AddField("judgment", "mood", models.TextField(null=True)),
        migrations.AddField("slot", "weight", models.IntegerField(db_default=1)),
        migrations.AddField("draft", "weight", models.IntegerField(db_default=1)),
        migrations.CreateModel(
            "Remark",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("judgment", models.ForeignKey("labeling.judgment", models.CASCADE)),
                ("text", models.TextField()),
            ],
        ),
    ]
"""
INDEX = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("labeling", "9998_columns")]
    operations = [
        AddIndexConcurrently("judgment", models.Index(fields=["mood"], name="judgment_by_mood")),
    ]
"""
N_MIGRATIONS = 2


def main(folder: Path) -> None:
    copied = ROOT / "labeling" / "migrations"
    package = folder / PACKAGE
    if not package.exists():
        shutil.copytree(copied, package, ignore=shutil.ignore_patterns("__pycache__"))
        last = max(file.stem for file in copied.glob("[0-9]*.py"))
        (package / "9998_columns.py").write_text(COLUMNS.replace("LAST", last))
        (package / "9999_index.py").write_text(INDEX)
    sys.path.append(str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    settings.MIGRATION_MODULES["labeling"] = PACKAGE
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
