"""Notices about a chain, to the person who made its schedule and, in trouble, to all
researchers.
"""

from collections.abc import Callable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Notice, User
from accounts.notices import services as notices_services
from training.models import Chain, TrainedModel
from training.schedules.gate.verdict import Outcome
from training.schedules.plans.steps import STEPS


def finished_words(chain: Chain) -> str:
    return _("The chain “%(chain)s” has finished.") % {"chain": chain}


def failed_words(chain: Chain, error: str) -> str:
    return _("The chain “%(chain)s” has stopped. %(error)s") % {"chain": chain, "error": error}


def kept_words(chain: Chain, model: TrainedModel) -> str:
    run = model.run
    return _(
        "A run of the chain “%(chain)s” stopped by itself. %(why)s The chain goes on with"
        " “%(model)s”, and the gate decides."
    ) % {"chain": chain, "why": run.error if run else "", "model": model}


def approval_words(chain: Chain, step: str) -> str:
    return _("The chain “%(chain)s” needs your approval before the next step: %(step)s.") % {
        "chain": chain,
        "step": STEPS[step].words,
    }


def gate_words(chain: Chain, sentence: str) -> str:
    return _("The chain “%(chain)s” needs your decision on its new model. %(why)s") % {
        "chain": chain,
        "why": sentence,
    }


def notify_not_promoted(
    chain: Chain, model: TrainedModel, sentence: str, now: datetime, has_failed: bool = True
) -> None:
    """To the person who made the schedule. A model that stayed undecided has not failed."""

    def words() -> str:
        return _(
            "“%(model)s” of the chain “%(chain)s” did not become the current model. %(why)s"
        ) % {
            "model": model,
            "chain": chain,
            "why": sentence,
        }

    kind = Notice.Kind.FAILED if has_failed else Notice.Kind.FINISHED
    notify(chain, "gate", kind, words, now)
    if has_failed:
        warn_of_failures_in_a_row(chain, now)


def warn_of_failures_in_a_row(chain: Chain, now: datetime) -> None:
    """To every researcher, when this chain failed and so did the one before it. Call it in the
    transaction of the failure.
    """
    earlier = chain.schedule.chains.filter(number__lt=chain.number).order_by("-number")
    before = earlier.exclude(state=Chain.State.STOPPED).first()
    if before is None or not _has_failed(before):
        return

    def words() -> str:
        return _(
            "Two chains of “%(schedule)s” failed in a row: “%(before)s” and “%(chain)s”. Its"
            " current model stays as it is."
        ) % {"schedule": chain.schedule, "before": before, "chain": chain}

    notices_services.notify(
        people=User.objects.filter(is_researcher=True, is_active=True),
        key=f"chain-{chain.pk}-twice",
        kind=Notice.Kind.FAILED,
        words=words,
        path=reverse("schedule", args=[chain.schedule_id]),
        now=now,
    )


def _has_failed(chain: Chain) -> bool:
    """A step failed, or its model was not promoted."""
    return (
        chain.state == Chain.State.FAILED
        or chain.links.filter(verdict__outcome=Outcome.FAILED).exists()
    )


def notify(
    chain: Chain, key: str, kind: Notice.Kind, words: Callable[[], str], now: datetime
) -> None:
    person = chain.schedule.created_by
    if person is not None:
        path = reverse("chain", args=[chain.pk])
        notices_services.notify(
            people=[person],
            key=f"chain-{chain.pk}-{key}",
            kind=kind,
            words=words,
            path=path,
            now=now,
        )
