"""The task that asks a judge for a verdict."""

import random

from django.utils import timezone

from jobs.protocol import Clock
from training.judges import asking, services
from training.judges.services import VERDICTS
from training.models import Verdict


@VERDICTS
def ask(verdict: Verdict, clock: Clock) -> None:
    asking.ask(verdict, clock)
    if waiting := services.waiting_verdicts(now=timezone.now()):
        VERDICTS.wake(random.choice(waiting))  # noqa: S311  # two that end at once, seldom the same
