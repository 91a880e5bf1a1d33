"""How a supervisor reads a child's log: its last lines, and their number."""

from pathlib import Path

from training.processes import run_dir
from training.runs.supervisor import progress_lines
from training.runs.supervisor.progress_lines import N_LOG_LINES, ProgressReader


def write(folder: Path, text: str) -> None:
    with (folder / run_dir.LOG).open("a") as file:
        file.write(text)


def test_lines_that_have_ended_are_counted_on(tmp_path: Path) -> None:
    reader = ProgressReader(tmp_path)
    assert (reader.read().n_log_lines, reader.read().has_changed) == (0, False)
    write(tmp_path, "one\ntwo\n 10%\r 20%")
    first = reader.read()
    reader.advance(first)
    write(tmp_path, "\r 30%\nfour\n")

    second = reader.read()

    assert (first.log_tail, first.n_log_lines) == ("one\ntwo\n 20%", 2)
    assert (second.log_tail, second.n_log_lines, second.has_changed) == (
        "one\ntwo\n 30%\nfour\n",
        4,
        True,
    )


def test_news_that_were_not_kept_are_counted_again_and_once(tmp_path: Path) -> None:
    reader = ProgressReader(tmp_path)
    write(tmp_path, "one\n")
    reader.read()

    assert reader.read().n_log_lines == 1


def test_the_next_supervisor_counts_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, "line\n" * 2000)

    new = ProgressReader(tmp_path).read()

    assert (new.n_log_lines, len(new.log_tail.split("\n"))) == (2000, N_LOG_LINES)


def test_a_tail_ends_at_the_given_offset(tmp_path: Path) -> None:
    write(tmp_path, "one\ntwo\n")

    assert progress_lines.log_tail(tmp_path, 4) == "one\n"
