"""Notices about a chain, to the person who made its schedule."""

from collections.abc import Callable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Notice
from accounts.notices import services as notices_services
from training.models import Chain, chain_plans


def finished_words(chain: Chain) -> str:
    return _("The chain “%(chain)s” has finished.") % {"chain": chain}


def failed_words(chain: Chain, error: str) -> str:
    return _("The chain “%(chain)s” has stopped. %(error)s") % {"chain": chain, "error": error}


def approval_words(chain: Chain, step: str) -> str:
    return _("The chain “%(chain)s” needs your approval before the next step: %(step)s.") % {
        "chain": chain,
        "step": chain_plans.WORDS[step],
    }


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
