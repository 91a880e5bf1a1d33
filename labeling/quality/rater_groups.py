"""Groups of a campaign's raters: pools, and profile answers."""

from collections import defaultdict
from collections.abc import Collection

from labeling.models import Campaign, PoolMembership, ProfileAnswer
from labeling.quality.measures.groups import RaterGroup


def rater_groups(*, campaign: Campaign, raters: Collection[int]) -> list[RaterGroup]:
    """Pools that these raters are in, and their answers to the profile of the campaign's own pool.

    Only measures.groups.groups_of may use the members of a group; it hides small groups. Raters who
    have withdrawn count in no answer's group.
    """
    members: dict[tuple[int, str], set[int]] = defaultdict(set)
    inside = PoolMembership.objects.filter(rater__in=raters, is_active=True).order_by("pool__name")
    for pool, name, rater in inside.values_list("pool_id", "pool__name", "rater_id"):
        members[pool, name].add(rater)
    pools = [
        RaterGroup(name, frozenset(rater_ids), pool=pool)
        for (pool, name), rater_ids in members.items()
    ]
    return pools + _profile(campaign, raters)


def _profile(campaign: Campaign, raters: Collection[int]) -> list[RaterGroup]:
    queryset = ProfileAnswer.objects.filter(step__pool=campaign.pool_id, step__retired_at=None)
    queryset = queryset.filter(rater__in=raters, rater__withdrawn_at=None).order_by("pk")
    # if two steps ask the same question, the later answer counts
    answers = {
        (rater, question): answer
        for rater, question, answer in queryset.values_list("rater_id", "question", "answer")
    }
    groups: dict[tuple[str, str], set[int]] = defaultdict(set)
    for (rater, question), answer in answers.items():
        groups[question, answer].add(rater)
    return [
        RaterGroup(answer, frozenset(rater_ids), question=question)
        for (question, answer), rater_ids in groups.items()
    ]
