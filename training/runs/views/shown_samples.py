"""The sampled responses on a run's page, each with its scores."""

from dataclasses import dataclass

from django.utils.translation import gettext

from training.configs import kinds, metrics
from training.models import Run, RunSample
from training.results import certainty
from training.runs import selectors


@dataclass(frozen=True)
class ShownSamples:
    names: list[str]
    """of the scores"""
    rows: list[tuple[RunSample, list[tuple[str, str]]]]
    """each with its scores, by name"""


def shown_samples(run: Run) -> ShownSamples:
    samples = selectors.newest_samples(run=run)
    names = sorted({name for sample in samples for name in sample.scores})
    words = {measure.name: measure.words for measure in kinds.KINDS[run.kind].measures}
    words |= metrics.SCORES
    labels = {name: gettext(words.get(name, name.replace("_", " "))) for name in names}
    likely = [_likely(run, sample) for sample in samples]
    rows = [
        [(label, _score(sample.scores.get(name))) for name, label in labels.items()]
        for sample in samples
    ]
    columns = list(labels.values())
    if any(likely):
        column = gettext("likely better than the other model's")
        columns.append(column)
        rows = [[*row, (column, share or "–")] for row, share in zip(rows, likely, strict=True)]
    return ShownSamples(columns, list(zip(samples, rows, strict=True)))


def _likely(run: Run, sample: RunSample) -> str:
    """How likely raters prefer it to the other model's response; "" if that is not known."""
    reward, other = sample.scores.get("reward"), sample.scores.get("other_reward")
    if not isinstance(reward, int | float) or not isinstance(other, int | float):
        return ""
    return certainty.likely_better(scorer=run.reward_model, margin=reward - other)


def _score(value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, float):
        return f"{value:.2f}".replace("-", "−")
    return str(value if value is not None else "–")
