"""Notes on an attack run what it found."""

from training.benchmarks.attacks import attempts, success
from training.configs.evaluation.attack import AttackConfig
from training.models import Run


def note_success(*, run: Run) -> None:
    """The success rate by the classifier alone, among the run's metrics. What people say later is
    on the page of attacks. Does nothing for runs of other kinds.
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
