"""Interprets the end of a child process: its exit code, result and last log lines become an outcome
and a sentence. Pure.
"""

import re
import signal
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from training.processes.run_dir import Result

# The supervisor writes this line to the log at the start of each attempt.
ATTEMPT_BEGINS = "--- attempt "
N_LAST_LINES = 8


class NextState(StrEnum):
    """The run's next state."""

    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"
    RETRY = "retry"


@dataclass(frozen=True)
class Verdict:
    next: NextState
    sentence: str = ""


@dataclass(frozen=True)
class ChildExit:
    """What is known when a child has ended. `exit_code` is negative for a signal, as in
    subprocess.
    """

    exit_code: int
    result: Result | None
    log: str
    is_out_of_memory: bool = False
    is_stalled: bool = False
    lost_machine: str = ""
    """another machine of the run that ended before this one"""
    lost_machine_error: str = ""


def interpret(child: ChildExit) -> Verdict:
    """The child writes the result last and atomically, so a result counts more than the
    exit code.
    """
    if child.result is not None:
        return Verdict(NextState(child.result.outcome), child.result.error or "")
    if child.is_out_of_memory:
        return Verdict(NextState.FAILED, _memory_sentence())
    if child.is_stalled:
        return Verdict(
            NextState.RETRY, _("The training process was stuck for too long and was stopped.")
        )
    if child.exit_code < 0:
        return Verdict(
            NextState.RETRY,
            _("The training process was killed (%(signal)s).")
            % {"signal": _signal_name(-child.exit_code)},
        )
    if child.lost_machine_error:
        return Verdict(NextState.FAILED, f"{child.lost_machine}: {child.lost_machine_error}")
    if child.lost_machine:
        return Verdict(
            NextState.RETRY, _("The worker on %(node)s disappeared.") % {"node": child.lost_machine}
        )
    return Verdict(NextState.FAILED, _sentence_from_log(child.log))


def _signal_name(number: int) -> str:
    return (
        signal.Signals(number).name
        if number in {member.value for member in signal.Signals}
        else f"signal {number}"
    )


def _memory_sentence() -> str:
    return _(
        "Out of memory. Lower the batch size or the max row length, use LoRA, or choose a smaller"
        " model."
    )


def _sentence_from_log(whole_log: str) -> str:
    """From the last lines of this attempt. Indented lines are skipped: a traceback quotes source
    code there, which may name errors that did not happen.
    """
    own = whole_log.rpartition(ATTEMPT_BEGINS)[2]
    lines_said = [
        line.strip()
        for line in own.splitlines()
        if line.strip() and not line.startswith((" ", "\t"))
    ]
    log = "\n".join(lines_said[-N_LAST_LINES:])
    if re.search(r"\bMemoryError\b|OutOfMemoryError|out of memory|can't allocate memory", log):
        return _memory_sentence()
    if "No space left on device" in log:
        return _(
            "The disk of the node is full. Free some space, then retry: the run resumes from its"
            " last checkpoint."
        )
    if missing := re.search(
        r"No module named '(torch|transformers|trl|peft|datasets|accelerate|gguf)", log
    ):
        return _(
            "This node cannot train: %(module)s is not installed. Install preferably[train] there."
        ) % {"module": missing.group(1)}
    last = lines_said[-1][:300] if lines_said else _("no output")
    return _(
        "Training ended with an unexpected error: %(last)s. The full trace is in the log below."
    ) % {"last": last.rstrip(".")}
