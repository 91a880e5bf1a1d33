"""Starts training on a campaign: a schedule, and its first chain at once."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import Refusal
from labeling.models import Campaign
from training.models import Chain
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms
from training.train_on_campaign import selectors


class AlreadyStarted(Refusal):
    """Somebody has started training on the campaign since the page was opened."""


def start_training(
    *,
    campaign: Campaign,
    name: str,
    plan: Plan,
    terms: Terms,
    is_outdated: Callable[[int | None], bool],
    by: User,
    now: datetime,
) -> Chain:
    """`is_outdated` is given the id of the campaign's newest chain. Raises AlreadyStarted, and
    training.schedules.services.UnableToSchedule.
    """
    with transaction.atomic():
        # Two tabs that are sent at once start one chain.
        Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
        newest = selectors.newest_chain(campaign=campaign)
        if is_outdated(newest.pk if newest else None):
            raise AlreadyStarted("")
        schedule = schedules_services.create_schedule(
            name=name, plan=plan, terms=terms, by=by, now=now
        )
        return schedules_services.fire_now(schedule=schedule, by=by, now=now)
