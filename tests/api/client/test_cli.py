"""The command: what it prints, its exit codes, and where it takes the token from."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx2
import pytest
from datasets import Dataset
from django.utils import timezone

from accounts.models import User
from labeling.data.exports import jobs as export_jobs
from labeling.data.imports import services as imports_services
from labeling.models import Campaign, Export, Import, Prompt, Rater
from preferably_client import Preferably
from preferably_client.cli import main
from tests.api.conftest import secret_of
from tests.api.test_labeling import written
from tests.training import cast

Run = Callable[..., int]


@pytest.fixture
def run(
    bo: User,
    wsgi: Any,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    tmp_path: Path,
) -> Run:
    """Runs the command with the site and a token in the environment. While it pauses, a worker does
    its work.
    """
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.UPLOADS_DIR.mkdir()
    settings.EXPORTS_DIR = tmp_path / "exports"
    monkeypatch.setenv("PREFERABLY_SITE", "http://testserver")
    monkeypatch.setenv("PREFERABLY_TOKEN", secret_of(bo))

    def work(_seconds: float) -> None:
        for batch in Import.objects.filter(finished_at=None):
            imports_services.IMPORTS.run(batch.pk, clock=timezone.now)
        for export in Export.objects.filter(ended_at=None):
            export_jobs.EXPORTS.run(export.pk, clock=timezone.now)

    connect = partial(Preferably, transport=httpx2.WSGITransport(app=wsgi), pause=work)
    return lambda *arguments: main(list(map(str, arguments)), connect=connect)


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def a_file(folder: Path, *prompts: str) -> Path:
    file = folder / "prompts.jsonl"
    file.write_text("".join(json.dumps({"Question": prompt}) + "\n" for prompt in prompts))
    return file


ABOUT = ("--source", "Ours", "--licence", "CC0-1.0", "--column", "prompt=Question")


def test_a_file_is_imported_and_counted(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_file(tmp_path, "Name three rivers.", "Name three lakes.")

    code = run("import", file, *ABOUT)

    assert code == 0
    assert Prompt.objects.count() == 2
    assert "published. 2 prompts" in capsys.readouterr().out


def test_a_file_with_a_problem_is_refused_as_a_whole_if_it_is_strict(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_file(tmp_path, "Name three rivers.", "")

    code = run("--json", "import", file, *ABOUT, "--strict")

    problem, ended = lines(capsys.readouterr().out)
    assert code == 1
    assert problem["problem"]["line"] == 2
    assert ended["import"]["state"] == "refused"


def test_judgments_are_written_as_lines_and_as_parquet(
    run: Run, tmp_path: Path, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa, "It scatters.")

    codes = [
        run("export", "--campaign", demonstration_campaign.pk, "--to", tmp_path / name)
        for name in ("judgments.jsonl", "judgments.parquet")
    ]

    assert codes == [0, 0]
    (row,) = lines((tmp_path / "judgments.jsonl").read_text())
    (same,) = Dataset.from_parquet(str(tmp_path / "judgments.parquet"), cache_dir=str(tmp_path))
    assert row["demonstration"]["text"] == same["demonstration"]["text"] == "It scatters."


def test_judgments_are_exported_in_a_shape_for_training(
    run: Run, tmp_path: Path, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa, "It scatters.")
    file = tmp_path / "sft.zip"

    code = run(
        "export", "--campaign", demonstration_campaign.pk, "--shape", "demonstrations", "--to", file
    )

    assert code == 0
    with ZipFile(file) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".jsonl"))
        assert "It scatters." in archive.read(name).decode()


def test_runs_are_listed_with_their_state(
    run: Run, bo: User, capsys: pytest.CaptureFixture[str]
) -> None:
    found = cast.a_run(bo, name="Weekly")

    assert run("runs", "--kind", "sft") == 0
    assert capsys.readouterr().out.split() == [str(found.pk), "sft", "queued", "Weekly"]


@pytest.mark.parametrize(("outcome", "code"), [("succeeded", 0), ("failed", 1)])
def test_the_exit_code_of_watch_is_the_runs(
    run: Run, bo: User, capsys: pytest.CaptureFixture[str], outcome: str, code: int
) -> None:
    watched = cast.finished(cast.a_run(bo, state="running", n_points=2), outcome, "No memory.")

    assert run("--json", "watch", watched.pk) == code

    first, _second, end = lines(capsys.readouterr().out)
    assert first["point"]["step"] == 1
    assert end["run"]["outcome"] == outcome


def test_a_refusal_is_said_on_standard_error_with_a_code_of_its_own(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("watch", 999) == 3
    assert capsys.readouterr() == ("", "Not found. (404)\n")


def test_without_a_connection_the_code_is_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFERABLY_TOKEN", "pfb_x")

    code = main(
        ["--site", "http://127.0.0.1:9", "runs"], connect=partial(Preferably, pause=lambda _s: None)
    )

    assert code == 4
    assert "No connection to the site" in capsys.readouterr().err


def test_the_token_is_read_from_a_file_that_nobody_else_can_read(
    run: Run, bo: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_text(secret_of(bo) + "\n")

    file.chmod(0o644)
    assert run("--token-file", file, "runs") == 2
    assert f"chmod 600 {file}" in capsys.readouterr().err
    file.chmod(0o600)
    assert run("--token-file", file, "runs") == 0


def test_without_a_token_the_command_says_where_to_put_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFERABLY_TOKEN")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert run("runs") == 2
    assert f"write it to {tmp_path}/preferably/token" in capsys.readouterr().err
