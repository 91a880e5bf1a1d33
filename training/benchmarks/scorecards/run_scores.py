"""What a benchmark run scored, for the run's own page."""

from dataclasses import dataclass

from training.benchmarks.scorecards import words
from training.models import Run, Suite, SuiteScore


@dataclass(frozen=True)
class RunScore:
    """By the suite's own scorer, ready to print."""

    suite: Suite
    figure: str
    interval: str
    n: int
    missing: str


def of_run(*, run: Run) -> list[RunScore]:
    """Suite by suite; empty before the run has ended."""
    scores = SuiteScore.objects.filter(run=run, is_main=True).select_related("suite")
    return [
        RunScore(
            score.suite,
            words.figure(score),
            words.interval(score) or "–",
            score.n,
            words.missing(score),
        )
        for score in scores.order_by("suite__area", "suite__name", "suite")
    ]
