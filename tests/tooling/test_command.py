"""The command `preferably` runs Django's commands, and says what else it can do."""

import tomllib
import urllib.error
from pathlib import Path

import pytest
import services
from pytest_django.live_server_helper import LiveServer

from preferably import command
from preferably_client import cli

ROOT = Path(__file__).resolve().parents[2]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["preferably", *words])
    command.main()


def test_it_runs_a_command_of_django(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "manage", "version")

    assert capsys.readouterr().out.startswith("5.2")


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_it_backs_up_and_restores(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, name, "--help")

    assert f"usage: preferably {name} [-h]" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["backup", "health", "manage", "restore"])
def test_the_client_finds_the_commands_of_the_site(name: str) -> None:
    """Both packages install a `preferably`; an entry point leads to the right one."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]

    assert listed[command.COMMANDS][name] == "preferably.command:main"


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
def test_it_shows_its_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    run(monkeypatch, word)

    assert "preferably manage COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["serve"]])
def test_what_it_does_not_know_ends_with_its_commands(
    monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    with pytest.raises(SystemExit, match="usage: preferably demo"):
        run(monkeypatch, *words)


def install(path: Path, package: str, command: str) -> None:
    """A package that lists `command`, as pip leaves it: running it prints the arguments."""
    about = path / f"{package}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Name: {package}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[preferably.commands]\n{command} = {package}:main\n")
    code = "import sys\ndef main():\n    print('ran', sys.argv[1:])\n"
    (path / f"{package}.py").write_text(code)


def test_it_runs_a_command_of_the_client_where_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    install(tmp_path, "some_client", "watch")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "watch", "7")

    assert (ended.value.code, capsys.readouterr().out) == (None, "ran ['watch', '7']\n")


def test_the_clients_command_runs_one_of_the_site(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    install(tmp_path, "some_site", "manage-some")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.argv", ["preferably", "manage-some", "help"])

    assert cli.main() == 0
    assert capsys.readouterr().out == "ran ['manage-some', 'help']\n"


def test_health_asks_the_web_process_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, live_server: LiveServer
) -> None:
    monkeypatch.setattr(command, "PROBE", f"{live_server.url}/livez")

    run(monkeypatch, "health")


def test_health_ends_with_an_error_if_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PROBE", f"http://127.0.0.1:{services.free_port()}/livez")

    with pytest.raises(urllib.error.URLError):
        run(monkeypatch, "health")
