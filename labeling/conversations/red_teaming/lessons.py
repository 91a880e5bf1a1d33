"""What a successful attack leads to: a demonstration of what the model should have said, and when
that is written, a pair with what it did say. Both are items that raters get from the queue.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.campaigns import services as campaigns_services
from labeling.conversations.red_teaming import reviews
from labeling.desk.judgments import rows
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.models import Attack, Demonstration, Item, RedTeaming, Response
from labeling.votes import counting

BATCH = 100


class UnableToUse(Refusal):
    """The attack did not succeed, or is in use already."""


def has_succeeded(attack: Attack, reviewed: Sequence[int]) -> bool:
    """By the mean of what reviewers said; by the attacker while nobody has reviewed it."""
    ratings = reviewed or [attack.success]
    return sum(ratings) >= Attack.BROKEN_FROM * len(ratings)


def use_attack(*, attack: Attack, by: User, now: datetime) -> Attack:
    """Ask raters to write what the model should have said; `queue_pairs` does the rest. Call it in
    the transaction that uses the attack elsewhere. Raises UnableToUse, also the second time.
    """
    with transaction.atomic():
        attack = (
            Attack.objects.select_for_update(of=("self",))
            .select_related("brief__campaign", "turn__prompt", "turn__chosen")
            .get(pk=attack.pk)
        )
        if attack.used_at is not None:
            raise UnableToUse(_("This attack is in use already."))
        if not has_succeeded(attack, reviews.successes([attack]).get(attack.pk, [])):
            raise UnableToUse(_("Only successful attacks can be added."))
        attack.demonstration_item = _demonstration_item(attack, by=by, now=now)
        attack.used_at = now
        attack.save(update_fields=["demonstration_item", "used_at"])
        after = {"demonstration_item": attack.demonstration_item.pk}
        audit_log.record(by, "use", attack, after=after, now=now)
    return attack


def queue_pairs(*, now: datetime) -> int:
    """Pair the demonstrations that were written since with the answers of their attacks. Returns
    how many. Safe to call twice.
    """
    written = Demonstration.objects.filter(
        counting.counts("judgment__"),
        judgment__item__answered_attack__pair_item=None,
        judgment__item__answered_attack__isnull=False,
    ).order_by("pk")
    n = 0
    for demonstration in written.select_related("judgment__rater", "judgment__item")[:BATCH]:
        with transaction.atomic():
            n += _pair(demonstration, now=now)
    return n


def _pair(demonstration: Demonstration, *, now: datetime) -> bool:
    item = demonstration.judgment.item
    attack = (
        Attack.objects.select_for_update(of=("self",))
        .select_related("brief", "turn__prompt", "turn__chosen")
        .filter(demonstration_item=item, pair_item=None)
        .first()
    )
    if attack is None or attack.turn.chosen is None:
        return False
    better = _as_response(demonstration, attack=attack, now=now)
    attack.pair_item = reviews.review_item(
        attack=attack, responses=[attack.turn.chosen, better], now=now
    )
    attack.save(update_fields=["pair_item"])
    return True


def _as_response(demonstration: Demonstration, *, attack: Attack, now: datetime) -> Response:
    rater = demonstration.judgment.rater
    source = rows.source_of_rater(rater=rater, now=now)
    own = Response.objects.filter(prompt=attack.turn.prompt, source=source)
    last = own.aggregate(last=Max("number"))["last"]
    return Response.objects.create(
        prompt=attack.turn.prompt,
        source=source,
        text=demonstration.text,
        number=0 if last is None else last + 1,
        created_at=now,
    )


def _demonstration_item(attack: Attack, *, by: User, now: datetime) -> Item:
    red = RedTeaming.objects.select_for_update().get(campaign=attack.brief.campaign_id)
    if red.demonstration_campaign is not None:
        return reviews.add_item(campaign=red.demonstration_campaign, attack=attack, now=now)
    campaign = campaigns_services.create_campaign(
        name=reviews.free_name(_("Better answers: %(name)s") % {"name": red.campaign.name}),
        pool=red.review_pool,
        guideline=red.campaign.guideline,
        prompts=[attack.turn.prompt],
        settings=DemonstrationSettings(min_words=1),
        by=by,
        now=now,
    )
    campaigns_services.open_campaign(campaign=campaign, by=by, now=now)
    red.demonstration_campaign = campaign
    red.save(update_fields=["demonstration_campaign"])
    return campaign.items.get()
