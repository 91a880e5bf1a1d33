"""Estimates how long one judgment takes: from earlier judgments, or else from the length of the
texts.
"""

from django.db.models import Avg, Count

from labeling.models import Campaign, Judgment, Prompt, Response

N_SIMILAR = 2_000
"""The number of latest judgments of similar campaigns that the average is taken from."""


LEAST_SIMILAR = 20
CHARS_PER_S = 20.0
"""Reading speed at work: about 230 words a minute, at five letters and a space each."""


JUDGING_S = 15.0
"""Per response, in addition to reading it: its scales, flags and rank."""


WRITING_S = 420.0
"""For a demonstration, in addition to reading the prompt: InstructGPT's raters took a few
minutes.
"""


TEXTS_READ = 300


def seconds_per_judgment(campaign: Campaign) -> float:
    """Average seconds per judgment, skips included: the campaign's own mean once it has enough
    judgments, before that an estimate.
    """
    if campaign.spent_judgments >= LEAST_SIMILAR:
        return campaign.spent_s / campaign.spent_judgments
    return typical_seconds(kind=campaign.about.answer, n_responses=campaign.n_responses)[0]


def typical_seconds(*, kind: str, n_responses: int | None) -> tuple[float, int]:
    """Seconds per judgment of that kind, and the number of similar judgments the mean is from. With
    too few, an estimate from the length of texts, and 0.
    """
    similar = Judgment.of_people.filter(
        kind=kind,
        campaign__kind=kind,
        campaign__n_responses=n_responses,
        active_s__gt=0,
        is_gold=False,
    )
    latest = similar.order_by("-pk").values("active_s")[:N_SIMILAR]
    mean = latest.aggregate(mean=Avg("active_s"), n=Count("active_s"))
    if mean["n"] >= LEAST_SIMILAR:
        return mean["mean"], mean["n"]
    prompt_chars = _mean_chars(
        [
            _chars(messages)
            for messages in Prompt.objects.order_by("-pk").values_list("messages", flat=True)[
                :TEXTS_READ
            ]
        ]
    )
    if n_responses is None:
        return prompt_chars / CHARS_PER_S + WRITING_S, 0
    texts = Response.objects.order_by("-pk").values_list("text", flat=True)[:TEXTS_READ]
    seconds_each = _mean_chars([len(text) for text in texts]) / CHARS_PER_S + JUDGING_S
    return prompt_chars / CHARS_PER_S + n_responses * seconds_each, 0


def _chars(messages: list[dict[str, str]]) -> int:
    return sum(len(message["content"]) for message in messages)


def _mean_chars(lengths: list[int]) -> float:
    return sum(lengths) / len(lengths) if lengths else 0.0
