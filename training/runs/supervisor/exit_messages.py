"""What the end of a child process means: its exit code, its result and its last words, put as an
outcome and a sentence. Pure.
"""

import re
import signal
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from training.processes.run_dir import Result

# The supervisor writes this before each attempt's first words.
ATTEMPT_BEGINS = "--- attempt "
N_LAST_LINES = 8


class Next(StrEnum):
    """What becomes of the run."""

    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"
    AGAIN = "again"


@dataclass(frozen=True)
class Verdict:
    next: Next
    sentence: str = ""


@dataclass(frozen=True)
class LastWords:
    """What is known when a child has ended. `exit_code` is negative for a signal, as subprocess has
    it.
    """

    exit_code: int
    result: Result | None
    log: str
    is_out_of_memory: bool = False
    is_stalled: bool = False
    lost_machine: str = ""
    """another one of the run's, that ended before this one did"""
    lost_machine_says: str = ""


def judge(words: LastWords) -> Verdict:
    """The result is written last and whole, so where there is one it is believed, whatever the exit
    code.
    """
    if words.result is not None:
        return Verdict(Next(words.result.outcome), words.result.error or "")
    if words.is_out_of_memory:
        return Verdict(Next.FAILED, _memory_sentence())
    if words.is_stalled:
        return Verdict(
            Next.AGAIN, _("The training process was stuck for too long and was stopped.")
        )
    if words.exit_code < 0:
        return Verdict(
            Next.AGAIN,
            _("The training process was killed (%(signal)s).")
            % {"signal": _signal_name(-words.exit_code)},
        )
    if words.lost_machine_says:
        return Verdict(Next.FAILED, f"{words.lost_machine}: {words.lost_machine_says}")
    if words.lost_machine:
        return Verdict(
            Next.AGAIN, _("The worker on %(node)s disappeared.") % {"node": words.lost_machine}
        )
    return Verdict(Next.FAILED, _sentence_from_log(words.log))


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
    """From what this attempt said last. A traceback quotes source, indented, which may name errors
    that did not happen.
    """
    own = whole_log.rpartition(ATTEMPT_BEGINS)[2]
    said = [
        line.strip()
        for line in own.splitlines()
        if line.strip() and not line.startswith((" ", "\t"))
    ]
    log = "\n".join(said[-N_LAST_LINES:])
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
    last = said[-1][:300] if said else _("no output")
    return _(
        "Training ended with an unexpected error: %(last)s. The full trace is in the log below."
    ) % {"last": last.rstrip(".")}
