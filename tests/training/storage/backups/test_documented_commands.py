"""The operators' guide for real: its commands for backup and restore, as written."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from preferably import command
from tests.training.storage.backups import sites

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[4]
Type = Callable[[str], str]


def commands(marker: str) -> Iterator[list[str]]:
    """The words of each line of the guide's indented block that begins with `marker`."""
    blocks = re.findall(r"(?:^    .+\n)+", (ROOT / "docs/operators.md").read_text(), re.MULTILINE)
    (block,) = [block for block in blocks if block.startswith(f"    {marker}")]
    for line in block.splitlines():
        yield shlex.split(line, comments=True)


@pytest.fixture
def type_in(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    programs: None,
    tmp_path: Path,
) -> Type:
    """Types the commands of a block, and gives what they print."""

    def run(marker: str) -> str:
        for words in commands(marker):
            own = [word.replace("/srv/backups", str(tmp_path / "backups")) for word in words]
            monkeypatch.setattr("sys.argv", own)
            command.main()
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("store_kind", ["url"])
def test_the_guides_commands_move_a_site_to_another_machine(
    site: sites.Folders, type_in: Type, tmp_path: Path, settings: LazySettings
) -> None:
    first = type_in("preferably backup /srv/backups\n")
    more = type_in("preferably backup /srv/backups --list")

    made = re.match(r"(\d{8}T\d{6}Z): (\d+) rows and (\d+) files", first)
    assert made is not None
    assert more.splitlines()[:2] == [
        made[1],
        f"{made[1]}: all {int(made[3]) + 1} files are whole.",
    ]
    new = sites.Folders(tmp_path / "new", f"file://{tmp_path}/new-artifacts")
    sites.use(settings, new)
    with sites.in_empty_database():
        said = type_in("preferably restore /srv/backups\n")
        rows = sites.rows()
    # The newest backup is of a moment after the first was recorded.
    assert f" is restored: {sum(map(len, rows.values()))} rows and {made[3]} files." in said
    assert "No migrations to apply." in said
    assert sites.files(new.home / "uploads") == sites.files(site.home / "uploads")


def test_a_command_that_cannot_says_why(
    site: sites.Folders,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def typed(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["preferably", *words])
        with pytest.raises(SystemExit, match="1"):
            command.main()
        return capsys.readouterr().err

    assert "Name a folder or URL, or set PREFERABLY_BACKUP_URL." in typed("backup")
    assert "There is no complete backup in" in typed("restore", str(tmp_path))
    assert "Backups cannot go to “nowhere://x”" in typed("backup", "nowhere://x", "--list")
