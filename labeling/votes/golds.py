"""Counts how often raters answer a campaign's golds correctly."""

from django.db.models import Sum

from labeling.models import Campaign, GoldAnswer


def gold_counts(*, campaign: Campaign) -> tuple[list[float], list[int], list[int]]:
    """By gold in use, over all raters' first answers: pairs ordered as in the gold, all pairs that
    it decides, and its prompt.
    """
    answers = GoldAnswer.objects.filter(
        campaign=campaign, gold__retired_at=None, rater__withdrawn_at=None
    ).values_list("gold", "gold__prompt")
    rows = list(answers.annotate(agreed=Sum("agreed"), n=Sum("n_pairs")).order_by("gold"))
    return [row[2] for row in rows], [row[3] for row in rows], [row[1] for row in rows]
