"""The run folder: only complete files, and nothing from an old attempt."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.trainer import runs
from training.configs import sft
from training.processes import run_dir
from training.processes.run_dir import Result, RunFolder, StaleAttempt, UnableToSave


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def folder_of(path: Path, attempt: int = 1) -> RunFolder:
    return runs.prepare(path, "sft", sft.SftConfig(), "/nowhere", path, attempt=attempt)


def test_an_old_attempt_can_write_nothing(run_folder: Path) -> None:
    old = folder_of(run_folder, attempt=1)
    folder_of(run_folder, attempt=2)

    with pytest.raises(StaleAttempt):
        old.append_point(1, 10, {"loss": 1.0})
    with pytest.raises(StaleAttempt):
        old.write_result(Result("succeeded"))
    with pytest.raises(StaleAttempt), old.checkpoint(1, keep=2) as aside:
        (aside / "weights").write_text("old")
    assert run_dir.newest_checkpoint(run_folder) is None
    assert run_dir.read_result(run_folder) is None


def test_an_old_supervisor_cannot_take_the_folder_back(run_folder: Path) -> None:
    folder_of(run_folder, attempt=2)

    with pytest.raises(StaleAttempt):
        folder_of(run_folder, attempt=1)


def test_a_line_torn_by_a_kill_is_skipped_and_the_next_one_is_whole(run_folder: Path) -> None:
    folder = folder_of(run_folder)
    folder.append_point(1, 10, {"loss": 2.0})
    with (run_folder / run_dir.PROGRESS).open("a") as file:
        file.write('{"attempt": 1, "step": 2, "val')

    lines, offset = run_dir.read_progress(run_folder, 0)
    folder.append_point(3, 10, {"loss": 1.0})
    more, _ = run_dir.read_progress(run_folder, offset)

    assert [line["step"] for line in lines] == [1]
    assert [line["step"] for line in more] == [3]


def test_line_separators_inside_a_text_do_not_cut_it(run_folder: Path) -> None:
    folder = folder_of(run_folder)
    text = "one\u2028two\u2029three\x85four\x0cfive"

    folder.append_sample(1, text, text, {})

    lines, _ = run_dir.read_progress(run_folder, 0)
    assert lines[0]["sample"]["prompt"] == text
    snapshot = runs.write_snapshot(run_folder, train=[{"text": text}])
    assert list(run_dir.read_lines(snapshot / "train.jsonl")) == [{"text": text}]


def test_what_is_no_number_is_left_out_of_a_point(run_folder: Path) -> None:
    folder = folder_of(run_folder)

    folder.append_point(1, 10, {"loss": float("nan"), "accuracy": 0.5})

    assert runs.points(folder)[1] == {"accuracy": 0.5}


def test_the_newest_whole_checkpoint_is_found(run_folder: Path) -> None:
    folder = folder_of(run_folder)
    for step in (9, 10):
        with folder.checkpoint(step, keep=5) as aside:
            (aside / "weights").write_text("12345")

    assert run_dir.newest_checkpoint(run_folder) == run_folder / "checkpoints" / "step-10"

    (run_folder / "checkpoints" / "step-10" / "weights").write_text("12")
    assert run_dir.newest_checkpoint(run_folder) == run_folder / "checkpoints" / "step-9"


def test_a_checkpoint_that_failed_half_way_is_never_seen(run_folder: Path) -> None:
    folder = folder_of(run_folder)

    with (  # noqa: PT012
        pytest.raises(OSError, match="pulled"),
        folder.checkpoint(5, keep=2) as aside,
    ):
        (aside / "weights").write_text("half")
        raise OSError("the plug was pulled")
    assert run_dir.newest_checkpoint(run_folder) is None

    folder_of(run_folder, attempt=2)
    assert not list((run_folder / "checkpoints").iterdir())


def test_old_checkpoints_go(run_folder: Path) -> None:
    folder = folder_of(run_folder)
    for step in (2, 10, 20):
        with folder.checkpoint(step, keep=2) as aside:
            (aside / "weights").write_text("x")

    assert sorted(path.name for path in (run_folder / "checkpoints").iterdir()) == [
        "step-10",
        "step-20",
    ]


def test_a_full_disk_gets_a_sentence_before_anything_is_written(run_folder: Path) -> None:
    folder_of(run_folder)

    with pytest.raises(
        UnableToSave, match=r"The disk is full: a checkpoint needs .* GB and .* are left\."
    ):
        run_dir.ensure_free_space(run_folder, 10**18, "a checkpoint")


def test_a_new_attempt_forgets_the_result_of_the_last(run_folder: Path) -> None:
    folder_of(run_folder).write_result(Result("failed", error="No luck."))

    folder_of(run_folder, attempt=2)

    assert run_dir.read_result(run_folder) is None


def test_two_processes_may_remove_the_same_folder_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    for number in range(3000):
        (folder / str(number)).touch()

    with ThreadPoolExecutor(2) as pool:
        removals = [pool.submit(run_dir.remove, folder) for _ in range(2)]

    assert [removal.exception() for removal in removals] == [None, None]
    assert not folder.exists()
