"""What an exit code and a child's last output mean."""

from typing import Any

import pytest

from training.processes.run_dir import Result
from training.runs.supervisor.exit_messages import ChildExit, NextState, interpret


def words(
    exit_code: int = 1, *, result: Result | None = None, log: str = "", **facts: Any
) -> ChildExit:
    return ChildExit(exit_code=exit_code, result=result, log=log, **facts)


def test_a_written_result_is_believed_whatever_the_exit_code() -> None:
    assert interpret(words(-11, result=Result("succeeded"))).next == NextState.SUCCEEDED


def test_an_anticipated_failure_keeps_its_sentence() -> None:
    verdict = interpret(words(3, result=Result("failed", error="The loss became NaN at step 3.")))

    assert (verdict.next, verdict.sentence) == (NextState.FAILED, "The loss became NaN at step 3.")


@pytest.mark.parametrize("code", [-9, -15, -6, -11])
def test_a_child_ended_by_a_signal_is_tried_again(code: int) -> None:
    assert interpret(words(code)).next == NextState.RETRY


def test_a_run_that_lost_a_machine_is_tried_again_unless_that_machine_says_why() -> None:
    gone = interpret(words(log="Connection closed by peer", lost_machine="left"))
    full = interpret(
        words(
            log="Connection closed by peer",
            lost_machine="left",
            lost_machine_error="The disk became full.",
        )
    )

    assert (gone.next, gone.sentence) == (NextState.RETRY, "The worker on left disappeared.")
    assert (full.next, full.sentence) == (NextState.FAILED, "left: The disk became full.")
    assert (
        interpret(words(-9, lost_machine="left")).sentence
        == "The training process was killed (SIGKILL)."
    )


def test_a_kill_for_want_of_memory_is_not_tried_again() -> None:
    verdict = interpret(words(-9, is_out_of_memory=True))

    assert verdict.next == NextState.FAILED
    assert "Out of memory" in verdict.sentence


@pytest.mark.parametrize(
    ("log", "part"),
    [
        ("Traceback …\nMemoryError", "Out of memory"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried", "Out of memory"),
        ("OSError: [Errno 28] No space left on device", "disk of the node is full"),
        ("ModuleNotFoundError: No module named 'torch'", "torch is not installed"),
        ("Traceback …\nKeyError: 'x'", "KeyError: 'x'"),
        ('  raise MemoryError if x else KeyError("x")\nKeyError: 1', "KeyError: 1"),
        ("MemoryError\n--- attempt 2 on a\nKeyError: 1", "KeyError: 1"),
        ("--- attempt 1 on a", "on a"),
        ("", "no output"),
    ],
)
def test_a_crash_is_explained_in_a_sentence(log: str, part: str) -> None:
    verdict = interpret(words(1, log=log))

    assert verdict.next == NextState.FAILED
    assert part in verdict.sentence
