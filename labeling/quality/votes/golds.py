"""Counts how often raters answer a campaign's golds correctly."""

from django.db.models import Sum

from labeling.models import Campaign, GoldAnswer


def gold_counts(*, campaign: Campaign) -> tuple[list[float], list[int]]:
    """By gold in use, over all raters' first answers: pairs ordered as in the gold, and all pairs
    that it decides.
    """
    answers = GoldAnswer.objects.filter(
        campaign=campaign, gold__retired_at=None, rater__withdrawn_at=None
    ).values_list("gold")
    rows = list(answers.annotate(agreed=Sum("agreed"), n=Sum("n_pairs")).order_by("gold"))
    return [agreed for _gold, agreed, _n in rows], [n for _gold, _agreed, n in rows]
