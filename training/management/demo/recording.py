"""The recorded site of the demo: two weeks that were lived on the product before it was packed.

`recorded.tar.xz` has a database, the snapshots' files, the logs of the runs, and the LoRA adapters
of the models, whose full weights the demo restores from them. A recorded history was chosen over a
replay: a replay would train for half an hour before anything could be seen, and every figure,
response and curve here is one that the product measured, wrote or drew.

scripts/record_demo records it and says how (`make record-demo`). `history.txt` in the archive has a
line for each time that it was stored, since the first extension.
"""

import json
import shutil
import tarfile
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from accounts.models import User
from accounts.people.services import ROLES
from training.management import demo
from training.management.demo import dates
from training.models import TrainedModel

FILE = demo.FOLDER / "recorded.tar.xz"
PLACE, CODE = "{PREFERABLY_HOME}", "{the code}"
"""Stand for two folders in what is stored."""
DATABASE, ENDED, HISTORY = "preferably.sqlite3", "recorded_at", "history.txt"
ADAPTERS = "adapters"
FOLDER = Path(settings.HOME) / "recorded"
"""What stays of the archive beside the site's own folders."""


def unpack() -> None:
    """Puts the recorded site into PREFERABLY_HOME. Does nothing if there is a database."""
    database = Path(str(settings.DATABASES["default"]["NAME"]))
    if database.exists():
        return
    with tarfile.open(FILE, "r:xz") as archive:
        archive.extractall(FOLDER, filter="data")
    for part in FOLDER.iterdir():
        if part.is_dir() and part.name != ADAPTERS:
            shutil.copytree(part, settings.HOME / part.name, dirs_exist_ok=True)
            shutil.rmtree(part)
    # Last: who starts after an interruption starts again.
    (FOLDER / DATABASE).rename(database)


def finish(*, now: datetime) -> None:
    """Makes the recording end now, and its paths those of this machine. Does nothing if that is
    done.
    """
    ended = FOLDER / ENDED
    with transaction.atomic():
        if not TrainedModel.objects.filter(location__startswith=PLACE).exists():
            return
        dates.shift(now - datetime.fromisoformat(ended.read_text()))
        move(PLACE, str(settings.HOME))
        move(CODE, str(settings.BASE_DIR))
        # Who logs in to the demo is new there, though the accounts are older than the tours.
        User.objects.update(**{f"ended_{role}_tour": False for role in ROLES})


def move(old: str, new: str) -> None:
    """Replaces a folder in every column with text."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.local_concrete_fields:
                if isinstance(field, models.CharField | models.TextField | models.JSONField):
                    table, column = quote(model._meta.db_table), quote(str(field.column))
                    written = json.dumps(new)[1:-1] if isinstance(field, models.JSONField) else new
                    cursor.execute(
                        f"UPDATE {table} SET {column} = REPLACE({column}, %s, %s)"  # noqa: S608  # names of our own tables
                        f" WHERE {column} LIKE %s",
                        [old, written, f"%{old}%"],
                    )


def adapter_of(model: TrainedModel) -> Path:
    """The folder with what a run of the recording has learned; it may not exist."""
    return FOLDER / ADAPTERS / model.name
