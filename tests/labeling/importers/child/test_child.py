"""The process that reads foreign files: its limits, its end, and what it is told."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import translation

from labeling.importers import readers
from labeling.importers.child import limits, process
from labeling.importers.child.limits import Limits, UnableToRead
from tests.labeling.importers.child import greedy
from tests.labeling.importers.child.greedy import Other, Part

FEW = Limits(memory_mb=50, cpu_s=1, wait_s=30, line_mb=1)


def refusal(reader: Callable[..., object], few: Limits = FEW, **arguments: object) -> str:
    with pytest.raises(UnableToRead) as refused:
        process.value(reader, few, **arguments)
    return refused.value.sentence


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_reader_gets_the_memory_that_it_may_have() -> None:
    assert process.value(greedy.takes_memory, FEW, megabytes=20) == 20 * 1024**2


def test_a_reader_that_takes_too_much_memory_ends_in_a_sentence() -> None:
    assert "more than 50 MB of memory" in refusal(greedy.takes_memory, megabytes=100)


def test_a_reader_that_takes_too_much_time_ends_in_a_sentence() -> None:
    assert "more than 1 seconds" in refusal(greedy.takes_time)


def test_a_reader_that_says_nothing_is_ended() -> None:
    assert "within 1 seconds" in refusal(greedy.sleeps, replace(FEW, wait_s=1))


@pytest.mark.parametrize("reader", [greedy.aborts, greedy.is_killed])
def test_a_reader_that_dies_ends_in_a_sentence_and_the_next_file_is_read(
    reader: Callable[[], int],
) -> None:
    assert "memory" in refusal(reader)
    assert process.value(greedy.takes_memory, FEW, megabytes=1)


def test_a_reader_that_breaks_is_logged_without_what_the_file_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sentence = refusal(greedy.breaks, text="a secret of the file")

    assert "can't be read" in sentence
    assert "breaks" in caplog.text
    assert "LookupError" in caplog.text
    assert "a secret" not in caplog.text


def test_an_entry_that_is_too_large_is_not_held_in_memory() -> None:
    assert "more than 1 MB" in refusal(greedy.has_one_large_entry, megabytes=3)


def test_everything_that_a_reader_finds_arrives_in_order() -> None:
    results = process.stream(greedy.counts, FEW, lambda: None, n=100_000)

    assert list(results) == list(range(100_000))


def test_values_keep_their_types() -> None:
    part = Part("ä\ud800", datetime(2026, 3, 2, 12, tzinfo=UTC), (Other(1), Other(2)))

    results = process.stream(
        greedy.same, FEW, lambda: None, part=part, path=Path("/a/b"), parts=[part, Part("d")]
    )

    assert list(results) == [part, part, Part("d"), Other(3)]


def test_a_reader_whose_answer_nobody_wants_any_more_is_killed(tmp_path: Path) -> None:
    results = process.stream(greedy.writes_forever, FEW, lambda: None, path=tmp_path / "pid")
    next(results)

    results.close()  # type: ignore[attr-defined]  # a generator

    pid = int((tmp_path / "pid").read_text())
    ends_at = time.monotonic() + 10
    while not is_gone(pid) and time.monotonic() < ends_at:
        time.sleep(0.01)
    assert is_gone(pid)


def test_whoever_waits_is_asked_whether_to_go_on() -> None:
    asked = []

    with pytest.raises(UnableToRead):
        process.long_value(greedy.sleeps, replace(FEW, wait_s=2), lambda: asked.append(1))

    assert asked


def test_a_file_is_read_after_the_process_that_starts_readers_was_killed() -> None:
    process.value(greedy.takes_memory, FEW, megabytes=1)
    server = process._SERVER._process
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    server.wait()

    assert process.value(greedy.takes_memory, FEW, megabytes=1)


def test_a_reader_has_no_secret_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    process._SERVER.stop()
    for name in ("PREFERABLY_SECRET_KEY", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")

    names = process.value(greedy.names_of_variables, FEW)

    known = {*process.INHERITED, "MALLOC_ARENA_MAX", "ARROW_DEFAULT_MEMORY_POOL"}
    prefixes = ("LC_", "PYTHON", "COVERAGE_", "COV_CORE_")
    assert "PATH" in names
    assert [name for name in names if name not in known and not name.startswith(prefixes)] == []


def test_sentences_are_in_the_language_of_whoever_asks(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    path.write_bytes(b"PK\x03\x04 and no more")

    with translation.override("de"):
        [entry] = process.stream(
            readers.drafts, FEW, lambda: None, path=path, file_format="plain", columns={}
        )

    assert "Archiv ist beschädigt" in str(entry)


def test_memory_is_watched_where_the_system_has_no_limit_of_it() -> None:
    """As on macOS."""
    assert limits.is_over(os.getpid(), replace(FEW, memory_mb=-150))
    assert not limits.is_over(os.getpid(), replace(FEW, memory_mb=100_000))
