"""What the guides say about installing exists: commands of the site, settings, ways to install."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ("README.md", "docs/operators.md", "docs/configuration.md", "deploy/chart/README.md")
MANAGE = re.compile(r"(?:preferably manage|(?<![\w/])manage\.py) ([a-z_]+)([^`|,.;)\n]*)")


@pytest.mark.parametrize("guide", GUIDES)
def test_each_command_of_the_site_exists_with_its_options(guide: str) -> None:
    typed = MANAGE.findall((ROOT / guide).read_text())

    assert [name for name, _rest in typed if name not in get_commands()] == []
    assert [
        f"{name} {option}"
        for name, rest in typed
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest)
        if option not in options_of(name)
    ] == []


def options_of(name: str) -> set[str]:
    app = get_commands()[name]
    command = app if not isinstance(app, str) else load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("name", ["site.env.example", "node.env.example"])
def test_a_shell_reads_the_settings_as_systemd_does(name: str) -> None:
    """The guide has them read by a shell for commands, and by systemd for the units."""
    path = ROOT / "deploy" / name
    script = f"set -eu; set -a; . {path}; env"
    written = dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), re.MULTILINE))

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)

    read = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert done.stderr == ""
    assert {key: read[key] for key in written} == {
        key: value.strip('"') for key, value in written.items()
    }


def test_the_guides_name_every_way_to_install() -> None:
    guide = (ROOT / "docs" / "operators.md").read_text()

    for name in ("compose.yaml", "deploy/compose.env.example", "deploy/chart", "make_first_admin"):
        assert name in guide
