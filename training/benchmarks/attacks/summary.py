"""What an attack came to, in short: for the page of its run."""

from dataclasses import dataclass

from pages.verdicts import Verdict
from training.benchmarks.attacks import services, success, verdicts, words
from training.benchmarks.attacks.attempts import IN_FULL, IN_PART
from training.configs.evaluation.attack import AttackConfig
from training.models import Run


@dataclass(frozen=True)
class Summary:
    verdict: Verdict
    by_strategy: list[words.Row]


def of_run(run: Run) -> Summary | None:
    """None for another kind, and before the run has ended: attempts are judged at its end."""
    if run.kind != AttackConfig.kind or run.state != Run.State.FINISHED:
        return None
    in_full = services.judged(run=run, bar=IN_FULL)
    if not in_full.attempts:
        return None
    found = success.results(in_full, services.judged(run=run, bar=IN_PART))
    overall = found.overall.success
    return Summary(
        verdicts.of_attack(overall, in_full.rates, run_id=run.pk, is_finished=True),
        [words.row(part, words.strategy(part.name)) for part in found.by_strategy],
    )
