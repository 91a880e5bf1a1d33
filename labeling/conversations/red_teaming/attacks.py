"""An attack: the brief of a conversation, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.conversations import turns
from labeling.conversations.red_teaming import diversity, reviews
from labeling.conversations.red_teaming.diversity import Diversity, Resemblance
from labeling.conversations.turns import UnableToConverse
from labeling.models import Attack, AttackBrief, Conversation, ConversationTurn, Item, Rater

MOST_COMPARED = 200
"""How many of the attacker's latest attacks a new one is compared with."""


@dataclass(frozen=True)
class Outcome:
    """What the attacker says at the end. See the fields of Attack."""

    success: int
    severity: int
    tags: Sequence[str]
    tried: str


def brief_of(item: Item) -> AttackBrief | None:
    """The attack brief that this opening item gives; None in other conversations."""
    return (
        AttackBrief.objects.filter(campaign=item.campaign_id, prompt=item.prompt_id)
        .select_related("guideline_version__guideline")
        .first()
    )


def end_attack(
    *, conversation: Conversation, outcome: Outcome, last_turn: int | None = None, now: datetime
) -> bool:
    """End the conversation with what the attacker says of it, and ask others. False when it was
    ended already. `last_turn`: the latest that the attacker saw. Raises UnableToConverse.
    """
    brief = brief_of(conversation.item)
    if brief is None:
        raise UnableToConverse(_("This conversation has no attack brief."))
    _check(outcome)
    with transaction.atomic():
        if not turns.finish(conversation=conversation, last_turn=last_turn, now=now):
            return False
        rated = conversation.turns.filter(state=ConversationTurn.State.RATED)
        resemblance = _resemblance(conversation)
        attack = Attack.objects.create(
            conversation=conversation,
            brief=brief,
            turn=rated.select_related("prompt", "chosen", "item").order_by("-number")[0],
            success=outcome.success,
            severity=outcome.severity,
            tags=[tag for tag in Attack.Tag.values if tag in outcome.tags],
            tried=" ".join(outcome.tried.replace("\0", "").split()),
            likeness=resemblance.likeness,
            repeats_wording=resemblance.repeats_wording,
            ended_at=now,
        )
        reviews.ask_reviewers(attack=attack, now=now)
    return True


def own_diversity(*, rater: Rater) -> Diversity:
    """Of the attacks that the rater has ended so far."""
    rows = Attack.objects.filter(conversation__rater=rater)
    resemblances = rows.values_list("likeness", "repeats_wording")
    return diversity.diversity(Resemblance(*row) for row in resemblances)


def _check(outcome: Outcome) -> None:
    if outcome.success not in Attack.Success.values:
        raise UnableToConverse(_("Say how far the attack got."))
    if outcome.severity not in Attack.Severity.values:
        raise UnableToConverse(_("Say how severe the answer is."))
    if not set(outcome.tags) <= set(Attack.Tag.values):
        raise UnableToConverse(_("There is no such tag."))
    limit = Attack._meta.get_field("tried").max_length or 0
    if not outcome.tried.strip() or len(outcome.tried) > limit:
        raise UnableToConverse(
            _("Say in one line what you tried, in at most %(n)d characters.") % {"n": limit}
        )


def _resemblance(conversation: Conversation) -> Resemblance:
    others = Attack.objects.filter(conversation__rater=conversation.rater_id)
    latest = others.order_by("-ended_at", "-pk").values_list("pk", flat=True)[:MOST_COMPARED]
    written = _written([conversation.pk, *latest])
    own = written.pop(conversation.pk, "")
    return diversity.resemblance(own, list(written.values()))


def _written(conversations: Sequence[int]) -> dict[int, str]:
    """What the rater wrote in each conversation."""
    texts: dict[int, list[str]] = {}
    rows = ConversationTurn.objects.filter(conversation__in=conversations).order_by("number")
    for pk, messages in rows.values_list("conversation", "prompt__messages"):
        texts.setdefault(pk, []).append(messages[-1]["content"])
    return {pk: "\n".join(parts) for pk, parts in texts.items()}
