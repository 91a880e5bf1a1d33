"""How long one judgment takes: from earlier judgments, else from the length of the texts."""

from django.db.models import Avg, Count

from labeling.models import Campaign, Judgment, Prompt, Response

LIKE_JUDGMENTS = 2_000


"""The latest judgments of campaigns like this one, from which the seconds of a judgment are
taken.
"""


LIKE_NEEDS = 20


CHARS_PER_S = 20.0


"""Reading for work: some 230 words a minute of five letters and a space."""


JUDGING_S = 15.0


"""For each response, beside reading it: its scales and flags, and its place."""


WRITING_S = 420.0


"""A demonstration, beside reading the prompt: InstructGPT's raters took some minutes."""


TEXTS_READ = 300


def _seconds_so_far(campaign: Campaign) -> float:
    """What one judgment takes, with its share of skips: the campaign's own mean once it has enough,
    before that an estimate.
    """
    if campaign.spent_judgments >= LIKE_NEEDS:
        return campaign.spent_s / campaign.spent_judgments
    return seconds_of_one(kind=campaign.kind, n_responses=campaign.n_responses)[0]


def seconds_of_one(*, kind: str, n_responses: int | None) -> tuple[float, int]:
    """Seconds of one judgment of that kind, and from how many like it; without enough of them, from
    how long texts are.
    """
    like = Judgment.objects.filter(
        kind=kind,
        campaign__kind=kind,
        campaign__n_responses=n_responses,
        active_s__gt=0,
        is_gold=False,
    )
    latest = like.order_by("-pk").values("active_s")[:LIKE_JUDGMENTS]
    found = latest.aggregate(mean=Avg("active_s"), n=Count("active_s"))
    if found["n"] >= LIKE_NEEDS:
        return found["mean"], found["n"]
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
    each = _mean_chars([len(text) for text in texts]) / CHARS_PER_S + JUDGING_S
    return prompt_chars / CHARS_PER_S + n_responses * each, 0


def _chars(messages: list[dict[str, str]]) -> int:
    return sum(len(message["content"]) for message in messages)


def _mean_chars(lengths: list[int]) -> float:
    return sum(lengths) / len(lengths) if lengths else 0.0
