"""Does this judgment count? The one place that says which judgments are data. Left out
are those of judges, those of people who have withdrawn, those on prompts of such people, those set
aside, and (unless asked for) repeats, gold items and extras.

Also which texts may still be used: nobody sees, compares or exports what a withdrawn person wrote.
Work, pay and the audit log include everything, because it was done.
"""

from collections.abc import Iterable

from django.db.models import Q

from labeling.access import withdrawn_prompt_ids
from labeling.models import Campaign, Judgment, Rater, Source


def counts(
    path: str = "",
    *,
    with_extra: bool = False,
    with_gold: bool = False,
    with_repeats: bool = False,
    with_set_aside: bool = False,
) -> Q:
    """The condition that a judgment counts. `path` leads to the judgment: "comparison__judgment__"
    for a RankedResponse. Only people's judgments count, in their current versions.
    """
    conditions: dict[str, object] = {"rater__withdrawn_at": None}
    if not with_set_aside:
        conditions["set_aside"] = None
    if not with_extra:
        conditions["is_extra"] = False
    if not with_gold:
        conditions["is_gold"] = False
    if not with_repeats:
        conditions["item__repeat_of"] = None
    on_withdrawn = Q(**{f"{path}prompt__in": withdrawn_prompt_ids()})
    counted = Q(**{f"{path}{name}": value for name, value in conditions.items()})
    return Judgment.of_people.condition(path) & counted & ~on_withdrawn


def does_count(judgment: Judgment, *, with_extra: bool = False) -> bool:
    """The same for one judgment that is read already, with its rater and `set_aside`, on an item
    that is no repeat and whose prompt is not among access.withdrawn_prompts.
    """
    # a reverse one-to-one raises when there is none
    is_set_aside = getattr(judgment, "set_aside", None) is not None
    is_withdrawn = judgment.rater.withdrawn_at is not None
    is_of_judge = judgment.rater.kind != Rater.Kind.PERSON
    is_left_out = is_of_judge or is_set_aside or is_withdrawn or judgment.is_gold
    return not is_left_out and (with_extra or not judgment.is_extra)


def n_answers(*, campaign: Campaign) -> int:
    """How many judgments of the campaign count."""
    return Judgment.of_people.filter(counts(), campaign=campaign).count()


def by_withdrawn(path: str = "") -> Q:
    """The condition that a response was written by somebody who has withdrawn. `path` leads to the
    response: "response__" for a RankedResponse or ItemResponse.
    """
    return Q(**{f"{path}source__person__rater__withdrawn_at__isnull": False}) | Q(
        **{f"{path}author__withdrawn_at__isnull": False}
    )


def written_by(raters: Iterable[Rater], path: str = "") -> Q:
    """The condition that a response was written by one of these raters."""
    listed = list(raters)
    users = [rater.user_id for rater in listed if rater.user_id is not None]
    return Q(**{f"{path}source__person__in": users}) | Q(**{f"{path}author__in": listed})


def withdrawn_raters() -> list[int]:
    """Ids. They are few, so a query over many judgments excludes ids instead of joining raters."""
    return list(Rater.everyone.filter(withdrawn_at__isnull=False).values_list("pk", flat=True))


def withdrawn_sources() -> list[int]:
    """Ids of the sources of withdrawn people."""
    withdrawn = Source.objects.filter(person__rater__withdrawn_at__isnull=False)
    return list(withdrawn.values_list("pk", flat=True))
