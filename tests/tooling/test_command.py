"""The command `preferably` runs Django's commands, and says what else it can do."""

import pytest

from preferably import command


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["preferably", *words])
    command.main()


def test_it_runs_a_command_of_django(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "manage", "version")

    assert capsys.readouterr().out.startswith("5.2")


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
