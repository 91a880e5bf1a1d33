"""What nobody else on the machine reads of a backup, and what is in none."""

import os
import stat
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db.utils import OperationalError
from django.test import Client

from accounts.models import User
from tests.cast import NOON
from tests.training.storage.backups import sites
from training.storage.backups import services
from training.storage.backups.pool import Pool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("programs"),
]


@pytest.mark.parametrize("mode", [None, 0o777])
def test_nobody_else_on_the_machine_reads_a_backup(
    site: sites.Folders, place: Path, mode: int | None
) -> None:
    """Whoever has made the folder, with whatever umask; also what an older version left there."""
    before = os.umask(0)
    try:
        if mode is not None:
            (place / "files" / "aa").mkdir(mode=mode, parents=True)
            (place / "files" / "aa" / "left.part").touch(mode=0o666)
        services.back_up(place=str(place), clock=lambda: NOON)
    finally:
        os.umask(before)

    readable = sites.readable_by_others(place)
    if mode is None:
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert len(Pool(str(place)).contents()) > 3
    assert readable == []


def test_the_keys_of_open_sessions_are_in_no_backup(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings, noor: User
) -> None:
    client = Client(headers={"User-Agent": "Firefox"})
    client.force_login(noor)
    client.get("/")
    key = client.session.session_key
    services.back_up(place=str(place), clock=lambda: NOON)
    site.home.rename(tmp_path / "gone")
    sites.use(settings, sites.Folders(tmp_path / "new", str(tmp_path / "new" / "artifacts")))

    with sites.in_empty_database():
        services.restore(place=str(place), now=NOON)
        restored = sites.rows()

    assert key
    assert any(key in row for row in sites.rows()["django_session"])
    assert [restored["django_session"], restored["accounts_loginsession"]] == [[], []]
    assert not [name for name, rows in restored.items() if any(key in row for row in rows)]


def test_a_database_that_is_away_gets_a_sentence(
    site: sites.Folders, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", away)
        with pytest.raises(CommandError, match="does not answer, so nothing was backed up"):
            call_command("backup", str(place))
