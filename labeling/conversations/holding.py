"""Whether a rater still has their conversation: its opening item's slot may be another's by now."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.models import Conversation, ConversationTurn, PastLease, Slot


def held_slot(conversation: Conversation) -> Slot | None:
    """The rater's slot of the opening item, locked: until the transaction ends, nobody takes it."""
    mine = Slot.objects.select_for_update().filter(item=conversation.item_id, state="leased")
    return mine.filter(rater=conversation.rater_id).first()


def is_taken_over(conversation: Conversation) -> bool:
    """Whether the rater has lost the opening item and no place is left in it, so that what they
    still give goes beyond its overlap.
    """
    if held_slot(conversation) is not None:
        return False
    for_them = Q(reserved_for=None) | Q(reserved_for=conversation.rater_id)
    free = Slot.objects.filter(for_them, item=conversation.item_id, state=Slot.State.FREE)
    return not free.exists()


def past_lease(turn: ConversationTurn, *, now: datetime) -> PastLease:
    """The lease of a turn that gets no slot, as that of any late answer."""
    conversation = turn.conversation
    return PastLease.objects.create(
        lease=turn.lease,
        item=turn.item,
        campaign=conversation.item.campaign,
        rater=conversation.rater,
        guideline_version_id=turn.guideline_version_id,
        seed=turn.seed,
        leased_at=turn.answered_at,
        ended_at=now,
        end=PastLease.End.LAPSED,
    )


def given_away_sentence() -> str:
    return _(
        "This conversation is no longer reserved for you. Your rated turns are saved. Take it again"
        " from the desk to go on."
    )


def extra_sentence() -> str:
    return _(
        "Someone else has this conversation now, so your rating was saved as an extra and the"
        " conversation ends here."
    )


def no_place_sentence() -> str:
    return _(
        "Someone else has this conversation now, so it ends here without being counted. Your rated"
        " turns and what you wrote are saved."
    )
