"""Which backups stay in a place, and which files."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.cast import NOON
from tests.training.storage.backups import sites
from tests.training.storage.backups.test_backups import back_up, move_away, restore
from training.storage.backups.pool import Pool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("programs"),
]


def test_only_the_newest_backups_and_what_they_need_are_kept(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    upload = site.home / "uploads" / "more"
    names = []
    for day in range(3):
        upload.write_text(f"day {day}")
        came_in(place, NOON)
        made = back_up(place, keep=2, now=NOON + timedelta(days=day, hours=1))
        names.append(made.name)

    pool = Pool(str(place))
    assert pool.names() == [names[2], names[1]]
    needed = {digest for name in names[1:] for digest in pool.manifest(name).contents}
    assert set(pool.contents()) == needed
    move_away(site, tmp_path, settings)
    with sites.in_empty_database():
        restore(place, name=names[1])
    assert (tmp_path / "new" / "home" / "uploads" / "more").read_text() == "day 1"


def came_in(place: Path, at: datetime) -> None:
    """Everything in the place did so at this time."""
    for file in (place / "files").rglob("*"):
        os.utime(file, (at.timestamp(), at.timestamp()))


def test_what_came_in_within_a_day_stays_for_a_backup_of_another_machine(
    folders: sites.Folders, place: Path
) -> None:
    for hour in range(2):
        back_up(place, now=NOON + timedelta(hours=hour))
    other, _size = Pool(str(place)).add(write(place.parent / "other"), but_not=())
    came_in(place, NOON + timedelta(hours=2))

    back_up(place, keep=1, now=NOON + timedelta(hours=26))
    assert other in Pool(str(place)).contents()
    back_up(place, keep=1, now=NOON + timedelta(hours=27))
    assert other not in Pool(str(place)).contents()


def write(file: Path) -> Path:
    file.write_text("of another machine")
    return file
