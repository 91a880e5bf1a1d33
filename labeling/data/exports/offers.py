"""The shapes that people choose from, in words."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Offer:
    """`value` is a key of shapes.SHAPES."""

    value: str
    label: Promise
    help: Promise


OFFERS = (
    Offer("prompts", _("Prompts"), _("One row per prompt, without answers.")),
    Offer(
        "stepwise",
        _("Labeled steps"),
        _("One row per imported response whose steps have labels, as in process supervision."),
    ),
    Offer(
        "demonstrations",
        _("Demonstrations"),
        _(
            "One row per answer: the conversation before it and the answer, in the format of"
            " TRL's SFT trainer."
        ),
    ),
    Offer(
        "dialogues",
        _("Dialogues"),
        _(
            "One row per demonstration: the prompt and everything written for it as one list of"
            " messages, which TRL also reads."
        ),
    ),
    Offer(
        "label_studio_texts",
        _("Label Studio tasks"),
        _("One task per prompt, with every rater's answer as an annotation."),
    ),
    Offer(
        "argilla_texts",
        _("Argilla records"),
        _("One record per prompt, with every rater's answer as a response."),
    ),
    Offer(
        "preferences",
        _("Pairs"),
        _(
            "One row per pair with a winner, in the format of TRL's reward trainer: prompt,"
            " chosen, rejected. Ties are left out."
        ),
    ),
    Offer(
        "implicit",
        _("Pairs of whole conversations"),
        _("The same, with the prompt in both conversations instead of a column of its own."),
    ),
    Offer(
        "unpaired",
        _("Good and bad responses"),
        _(
            "One row per best or worst response of a ranking, and per single response with a"
            " rating, a flag or a thumb, labeled true or false, in the format of TRL's KTO trainer."
        ),
    ),
    Offer(
        "rankings",
        _("Rankings"),
        _("One row per ranking: every response with its rank, ratings and display position."),
    ),
    Offer(
        "adjudicated",
        _("Adjudicated rankings"),
        _(
            "One row per adjudicated item: its responses in the order the reviewer decided, and"
            " the reason."
        ),
    ),
    Offer(
        "consensus",
        _("Consensus"),
        _(
            "One row per pair of responses: the votes for each, the majority, and the"
            " reliability-weighted result with its probability."
        ),
    ),
    Offer(
        "rating_consensus",
        _("Consensus of ratings"),
        _(
            "One row per response and question: the mean with its interval, median, spread and"
            " weighted mean of the answers, or the most frequent category."
        ),
    ),
    Offer(
        "label_studio",
        _("Label Studio tasks"),
        _(
            "One task per item, with every ranking as an annotation. Ties can't be exported; the"
            " card counts them."
        ),
    ),
    Offer(
        "argilla",
        _("Argilla records"),
        _("One record per item, with every ranking as a response."),
    ),
)
BY_SHAPE = {offer.value: offer for offer in OFFERS}
"""A kind of campaign names the shapes that it offers: labeling/kinds."""
