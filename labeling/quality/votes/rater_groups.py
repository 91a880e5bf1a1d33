"""Which groups a campaign's raters are in: pools, and what they chose to say of themselves."""

from collections import defaultdict
from collections.abc import Collection

from labeling.models import Campaign, PoolMembership, ProfileAnswer
from labeling.quality.measures.groups import RaterGroup


def rater_groups(*, campaign: Campaign, raters: Collection[int]) -> list[RaterGroup]:
    """Pools that these raters are in, and their answers to the profile of the campaign's own pool.

    Members of a group are for measures.groups.groups_of only, which hides groups of a few raters.
    Who has withdrawn is counted among nobody's answers.
    """
    members: dict[tuple[int, str], set[int]] = defaultdict(set)
    inside = PoolMembership.objects.filter(rater__in=raters, is_active=True).order_by("pool__name")
    for pool, name, rater in inside.values_list("pool_id", "pool__name", "rater_id"):
        members[pool, name].add(rater)
    pools = [
        RaterGroup(name, frozenset(found), pool=pool) for (pool, name), found in members.items()
    ]
    return pools + _profile(campaign, raters)


def _profile(campaign: Campaign, raters: Collection[int]) -> list[RaterGroup]:
    given = ProfileAnswer.objects.filter(step__pool=campaign.pool_id, step__retired_at=None)
    given = given.filter(rater__in=raters, rater__withdrawn_at=None).order_by("pk")
    # Of one question in two steps, the later answer.
    answers = {
        (rater, question): answer
        for rater, question, answer in given.values_list("rater_id", "question", "answer")
    }
    groups: dict[tuple[str, str], set[int]] = defaultdict(set)
    for (rater, question), answer in answers.items():
        groups[question, answer].add(rater)
    return [
        RaterGroup(answer, frozenset(found), question=question)
        for (question, answer), found in groups.items()
    ]
