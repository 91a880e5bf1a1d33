"""The operators' guide, typed: what it says about files, folders and the commands of the site, on a
machine whose / is a folder. tests/house/deploy/test_guides.py checks what that leaves to programs
that are not here, such as docker and systemd.
"""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.deploy import guides
from tests.tooling import databases
from tests.tooling.wheel import checkouts

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.xdist_group("wheel")]

ADDRESS = "https://git.example.org/preferably.git"
MOVED = ("/srv/preferably", "/etc/preferably", "/etc/systemd/system")
RECORDED = ("docker", "runuser", "useradd")
PYTHON = """\
test "$1 $2" = "-m venv" || exit 2
{python} -m venv --without-pip "$3"
echo {borrowed} > "$3/{packages}/borrowed.pth"
cp {programs}/pip "$3/bin/"
"""
PIP = """\
test "$1 $2" = "install -c" && test -f "$3" && test -f "${{4%%\\[*}}/pyproject.toml" || exit 2
exec {python} -m pip --python "$(dirname "$0")/python" install "{wheel}[${{4#*[}}" {offline}
"""
INSTALL = """\
# Nobody has made the user.
exec {install} $(echo "$*" | sed 's/-o preferably//')
"""
SYSTEMCTL = """\
for name; do
  case $name in preferably-*) unit=$(echo "$name" | sed 's/@.*/@/')
    test -f "{units}/$unit.service" || exit 5;; esac
done
"""


class Machine:
    """Types commands in a shell that stays in its folder from block to block. A command of the site
    takes seconds, so what an earlier block has typed is not typed again.
    """

    def __init__(self, root: Path, source: Path, wheel: Path) -> None:
        self.root, self.folder, self.log = root, root, root / "typed.log"
        self.units = root / "etc/systemd/system"
        self.site = root / "srv/preferably"
        for folder in (self.units, self.site, root / "programs", root / "home"):
            folder.mkdir(parents=True)
        self.log.touch()
        self.known: set[str] = set()
        self._add_programs(wheel)
        self.environment = {
            "PATH": f"{root / 'programs'}:{os.environ['PATH']}",
            "HOME": str(root / "home"),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{source}.insteadOf",
            "GIT_CONFIG_VALUE_0": ADDRESS,
        }

    def type(self, blocks: Iterable[guides.Block]) -> str:
        return "".join(self._type(block.text) for block in blocks)

    def _type(self, text: str) -> str:
        lines = [line for line in text.splitlines() if line not in self.known]
        self.known |= {line for line in lines if line.startswith("preferably ")}
        script = "\n".join(lines)
        for path in MOVED:
            script = script.replace(path, f"{self.root}{path}")
        done = subprocess.run(
            ["bash", "-eu", "-c", f"{script}\npwd > {self.root / 'folder'}"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        self.folder = Path((self.root / "folder").read_text().strip())
        return done.stdout

    def fill_in(self, file: Path, **values: str) -> None:
        text = file.read_text()
        for name, value in values.items():
            text, n = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert n == 1, name
        file.write_text(text)

    def typed(self, program: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(program)]

    def _add_programs(self, wheel: Path) -> None:
        names = {
            "python": sys.executable,
            "borrowed": sysconfig.get_paths()["purelib"],
            "packages": "lib/python{}.{}/site-packages".format(*sys.version_info),
            "programs": self.root / "programs",
            "wheel": wheel,
            "offline": " ".join(checkouts.OFFLINE),
            "install": "/usr/bin/install",
            "units": self.units,
        }
        scripts = {"python3.11": PYTHON, "pip": PIP, "install": INSTALL, "systemctl": SYSTEMCTL}
        for name, script in (scripts | dict.fromkeys(RECORDED, "")).items():
            file = self.root / "programs" / name
            record = f'#!/bin/sh -e\necho "{name} $*" >> {self.log}\n'
            file.write_text(record + script.format(**names))
            file.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, source: Path, wheel: Path) -> Machine:
    return Machine(tmp_path, source, wheel)


@pytest.fixture(scope="session", autouse=True)
def repository(source: Path) -> None:
    """What the guide clones."""
    checkouts.run(["git", "init", "--quiet"], cwd=source)
    checkouts.commit_all(source, "A release")


def apart(title: str, guide: str = "docs/operators.md") -> list[guides.Block]:
    return [block for block in guides.section(title, guide) if block.is_apart]


def test_a_site_is_installed_and_upgraded_word_for_word(machine: Machine, source: Path) -> None:
    files, site, units = apart("On machines of your own, with systemd")
    with databases.empty_database("installed", is_migrated=True) as database:
        machine.type([files])
        settings = machine.root / "etc/preferably/site.env"
        assert settings.stat().st_mode & 0o777 == 0o600
        machine.fill_in(
            settings,
            PREFERABLY_SECRET_KEY="0123456789" * 5,
            PREFERABLY_HOME=str(machine.site / "var"),
            PREFERABLY_ARTIFACTS=str(machine.site / "artifacts"),
            DATABASE_URL=database,
            REDIS_URL="redis://127.0.0.1:1/0",
            EMAIL_URL="consolemail://",
        )
        said = machine.type([site, units])
        assert "https://label.example.org/account/" in said
        assert (machine.site / "staticfiles" / "staticfiles.json").is_file()

        checkouts.commit_all(source, "The next release")
        new, migration, restarts = apart("With systemd")
        said = machine.type([new, migration, restarts])
        assert "No migrations to apply." in said
        assert head(machine.site / "source") == head(source)
        assert os.readlink(machine.site / ".venv") == "venv-2"

        machine.type(
            one
            for one in guides.section("If something goes wrong")
            if guides.program(one.text) == "ln"
        )
        assert os.readlink(machine.site / ".venv") == "venv-1"
    assert {*machine.site.glob("venv-*/bin/preferably")} == {
        machine.site / f"venv-{n}/bin/preferably" for n in (1, 2)
    }
    # Each found its unit, or the shell would have stopped.
    assert len(machine.typed("systemctl ")) == 1 + 4


def test_a_node_is_installed_word_for_word_and_a_second_one_beside_it(machine: Machine) -> None:
    machine.type([*apart("A GPU node"), *apart("Trying models")])

    second = (machine.units / "preferably-right.service").read_text()
    assert "EnvironmentFile=/etc/preferably/right.env\n" in second.replace(str(machine.root), "")
    assert " -n right@%H " in second
    assert "node.env" not in second
    settings = machine.root / "etc/preferably/right.env"
    assert settings.stat().st_mode & 0o777 == 0o600
    assert [line.split()[-1] for line in machine.typed("systemctl enable")] == [
        "preferably-node",
        "preferably-right",
        "preferably-models",
    ]


def test_compose_has_its_files_where_the_guide_types_it(machine: Machine) -> None:
    machine.type(apart("On one machine, from one file"))
    assert machine.folder.name == "preferably"
    assert (machine.folder / "compose.yaml").is_file()
    assert (machine.folder / ".env").stat().st_mode & 0o777 == 0o600
    first = len(machine.typed("docker compose"))

    machine.type(apart("With Compose"))
    machine.type(guides.section("For a team", "README.md"))

    assert (first, len(machine.typed("docker compose"))) == (5, 5 + 5 + 2)


def head(folder: Path) -> str:
    return checkouts.run(["git", "rev-parse", "HEAD"], cwd=folder)
