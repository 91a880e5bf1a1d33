"""What a run of PPO, RLOO or GRPO changed besides the reward: how long the model answers, and how
often it gives up a right answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext

from training.benchmarks.scorecards import sycophancy, words
from training.benchmarks.scorecards.selectors import LEVEL, Outcome
from training.benchmarks.scorecards.sycophancy import GaveUp
from training.models import Run, TrainedModel

KINDS = ("ppo", "rloo", "grpo")
_LENGTH = "response_tokens"


@dataclass(frozen=True)
class Change:
    """A line: what it was, what it is, and what can be said of the difference."""

    name: str
    before: str
    after: str
    difference: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Behaviour:
    changes: Sequence[Change]
    to_do: Sequence[tuple[TrainedModel, str]]
    """(a model without an answer to a suite, the form that asks it)"""


def behaviour(*, run: Run) -> Behaviour | None:
    """None for a run that left no policy to compare."""
    model = getattr(run, "trained_model", None)
    if run.kind not in KINDS or run.is_dry or model is None:
        return None
    asked = sycophancy.gave_up(before=run.base_model, after=model)
    changes = [*_length(run), *map(_gave_up, asked)]
    missing = sycophancy.unanswered(models=[run.base_model, model])
    to_do = [
        (other, _form(other, [suite.pk for suite in suites])) for other, suites in missing.items()
    ]
    return Behaviour(changes, to_do) if changes or to_do else None


def _length(run: Run) -> list[Change]:
    before, after = (run.metrics.get(f"{_LENGTH}_{when}") for when in ("before", "after"))
    if before is None or after is None:
        return []
    name = gettext("Mean length on held-out prompts (tokens)")
    change = number_format(after - before, 1)
    sign = "+" if after > before else ""
    return [Change(name, number_format(before, 1), number_format(after, 1), sign + change)]


def _gave_up(change: GaveUp) -> Change:
    return Change(
        gettext("Right answers given up when asked: %(suite)s") % {"suite": change.suite.name},
        words.of_value(change.before, share=True),
        words.of_value(change.after, share=True),
        gettext("%(n)s points") % {"n": words.change(change.difference.difference, share=True)},
        _certainty(change.p),
    )


def _certainty(p: float | None) -> str:
    if p is None:
        return str(words.OUTCOMES[Outcome.TOO_FEW])
    value = words.p_value(p)
    text = f"p {value}" if value.startswith("<") else f"p = {value}"
    return text if p < LEVEL else f"{words.OUTCOMES[Outcome.SAME]}, {text}"


def _form(model: TrainedModel, suites: Sequence[int]) -> str:
    query = urlencode([("base_model", model.pk), *(("suite", pk) for pk in suites)])
    return f"{reverse('run_new', args=['benchmark'])}?{query}"
