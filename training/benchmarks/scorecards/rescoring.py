"""Scores stored answers by a further scorer: nothing is generated again."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs.messages import Message
from training.benchmarks.scorecards import services
from training.benchmarks.scoring.answers import Scorer
from training.benchmarks.scoring.scorers import SCORERS
from training.models import Run, Suite, SuiteScore

RESCORING = Message(
    "training.benchmarks.scorecards.tasks.rescore",
    limit=timedelta(hours=1),
    otherwise="Whoever asked can ask again.",
)


class UnableToScore(Refusal):
    """The run's answers cannot be scored by this scorer; the text says why."""


def offered(*, run: Run) -> list[Scorer]:
    """The scorers that can read the answers of this run, and need no model."""
    kinds = set(_suites(run).values_list("kind", flat=True))
    return [
        scorer for scorer in SCORERS.values() if scorer.kinds & kinds and not scorer.needs_values
    ]


def rescore(*, run: Run, scorer: str, now: datetime) -> list[SuiteScore]:
    """Score every stored answer by this scorer too. Safe to call twice. Raises UnableToScore."""
    _check(run, scorer)
    return services.score_run(run=run, beside=[scorer], now=now)


def request(*, run: Run, scorer: str, by: User, now: datetime) -> bool:
    """Have a worker score them. False if no worker can be reached. Raises UnableToScore."""
    _check(run, scorer)
    audit_log.record(by, "score", run, after={"scorer": scorer}, now=now)
    return RESCORING.send(run_id=run.pk, scorer=scorer)


def _check(run: Run, scorer: str) -> None:
    if run.state != Run.State.FINISHED:
        raise UnableToScore(_("This run has not ended yet. Its answers are scored when it does."))
    if scorer not in {candidate.name for candidate in offered(run=run)}:
        raise UnableToScore(_("This scorer cannot read the answers of this run."))


def _suites(run: Run) -> QuerySet[Suite]:
    return Suite.objects.filter(items__answers__run=run).distinct()
