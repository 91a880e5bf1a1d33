"""What an attack run found, and a note of it among its metrics."""

from training.benchmarks.attacks import attempts, success
from training.benchmarks.attacks.attempts import Bar
from training.benchmarks.attacks.success import Judged
from training.configs.evaluation.attack import AttackConfig
from training.models import Run


def judged(*, run: Run, bar: Bar) -> Judged:
    return Judged(attempts.attempts(run=run, bar=bar), attempts.known_rates(bar=bar))


def note_success(*, run: Run) -> None:
    """The share of full successes by the classifier alone, among the run's metrics. What people say
    later is on the page of attacks. Does nothing for runs of other kinds.
    """
    if run.kind != AttackConfig.kind:
        return
    seen = success.success(attempts.attempts(run=run), None)
    if not seen.n:
        return
    noted = {"attack_success": seen.n_found / seen.n}
    if seen.seen is not None:
        noted |= {"attack_success_low": seen.seen.low, "attack_success_high": seen.seen.high}
    run.metrics = run.metrics | noted
    run.save(update_fields=["metrics"])
