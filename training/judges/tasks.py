"""The tasks that ask a judge for a verdict, look whether it can be trusted, and spare raters what
stands.
"""

from django.utils import timezone

from config.celery import short_task
from jobs.protocol import Clock
from training.judges import asking, sparing, trust
from training.judges.services import VERDICTS
from training.models import Verdict


@VERDICTS
def ask(verdict: Verdict, clock: Clock) -> None:
    asking.ask(verdict, clock)


@short_task(time_limit_s=300)
def advance_trust() -> None:
    now = timezone.now()
    trust.advance(now=now)
    sparing.advance(now=now)
