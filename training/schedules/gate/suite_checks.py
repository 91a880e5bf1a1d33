"""What a gate reads from suites: where the new model scores lower than the current one."""

from training.benchmarks.scorecards import pairs
from training.benchmarks.scorecards.selectors import Line, Outcome, scorecard
from training.models import Chain, Run, TrainedModel
from training.schedules.gate.verdict import SuiteChange
from training.schedules.plans import steps
from training.schedules.plans.chain_plans import Plan, outputs_of
from training.schedules.plans.settings import OnFall


def changes(chain: Chain) -> tuple[SuiteChange, ...]:
    """One for each suite of the chain that both models have answered. Empty without suites."""
    new = _benchmarked(chain)
    if new is None:
        return ()
    outputs = outputs_of(chain)
    card = scorecard(models=[new], baseline=steps.rival(outputs))
    found_changes = (_change(line) for line in card.lines if line.suite.pk in outputs.plan.suites)
    return tuple(change for change in found_changes if change is not None)


def is_stopped(chain: Chain) -> bool:
    """Whether raters need not be asked: a score fell, and the schedule stops then."""
    if Plan.from_json(chain.plan).on_fall != OnFall.STOP:
        return False
    return any(change.has_fallen for change in changes(chain))


def _benchmarked(chain: Chain) -> TrainedModel | None:
    """The new model, once its benchmark has succeeded."""
    link = (
        chain.links.filter(step=steps.BENCHMARK.name, run__outcome=Run.Outcome.SUCCEEDED)
        .select_related("run__base_model")
        .first()
    )
    return link.run.base_model if link is not None and link.run is not None else None


def _change(line: Line) -> SuiteChange | None:
    verdict, score = line.first.verdict, line.first.score
    if verdict is None or verdict.difference is None or score is None:
        return None
    if not pairs.is_share(score.scorer):
        return None  # rewards are not points
    difference = verdict.difference
    has_fallen = verdict.outcome == Outcome.WORSE if verdict.is_tested else None
    return SuiteChange(
        str(line.suite),
        difference.difference,
        difference.low,
        difference.high,
        difference.n,
        has_fallen,
    )
