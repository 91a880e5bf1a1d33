"""Which items suit a rater: none that they wrote themselves, none with upsetting content of a kind
that they have not agreed to, and in a pool that routes, those whose language and category they
know. The same rule as a condition of the claim's one statement and as a filter.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from labeling.models import (
    Campaign,
    ItemResponse,
    Pool,
    Prompt,
    QueuePlace,
    Rater,
    RaterSkill,
    Source,
)


@dataclass(frozen=True)
class Fit:
    """What a claim asks of an item besides that its rater has not met it. Mostly nothing."""

    own_sources: tuple[int, ...] = ()
    author: int | None = None
    """the rater, whose demonstrations may have come back as responses; None where nothing is
    theirs
    """
    languages: frozenset[str] | None = None
    """codes that the rater knows; None where the pool does not route by language"""
    categories: frozenset[str] | None = None
    accepts: frozenset[str] = frozenset(Prompt.Upset.values)
    """kinds of upsetting content that the rater has agreed to"""

    @property
    def refused(self) -> list[str]:
        return sorted(set(Prompt.Upset.values) - self.accepts)

    def takes(self, *, language: str, category: str, sensitive: Collection[str]) -> bool:
        """Of an item with such a prompt; whether they wrote it themselves is left out. The same as
        `condition`, in Python.
        """
        known = self.languages
        is_readable = (
            not language
            or known is None
            or any(f"{language}-".startswith(f"{code}-") for code in known)
        )
        return (
            is_readable
            and self.accepts.issuperset(sensitive)
            and (self.categories is None or category in self.categories)
        )

    @property
    def values(self) -> dict[str, Any]:
        """For the placeholders in `sql`."""
        named = [
            ("own", self.own_sources),
            ("author", [self.author] if self.author is not None else []),
            ("language", sorted(self.languages or ())),
            ("category", sorted(self.categories or ())),
            ("like", [f"{code}-%" for code in sorted(self.languages or ())]),
            ("refused", [f'%"{kind}"%' for kind in self.refused]),
        ]
        return {
            f"{name}_{place}": value for name, values in named for place, value in enumerate(values)
        }

    @property
    def sql(self) -> str:
        """Conditions on `free`, a slot, each with AND before it. OFFSET 0 as in labeling.queue: a
        test, never a join.
        """
        parts = []
        mine = _places("own", len(self.own_sources))
        own = [f"text.source_id IN ({mine})"] if self.own_sources else []
        own += ["text.author_id = %(author_0)s"] if self.author is not None else []
        if own:
            parts.append(
                "NOT EXISTS (SELECT 1 FROM labeling_itemresponse shown JOIN labeling_response text ON text.id = shown.response_id"  # noqa: S608  # names of our own
                f" WHERE shown.item_id = free.item_id AND ({' OR '.join(own)}) LIMIT 1 OFFSET 0)"
            )
        if self.own_sources:
            parts.append(_item_test(f"prompt.source_id NOT IN ({mine})"))
        if self.languages is not None:
            known = (
                [f"prompt.language IN ({_places('language', len(self.languages))})"]
                if self.languages
                else []
            )
            known += [
                f"prompt.language LIKE %(like_{place})s" for place in range(len(self.languages))
            ]
            parts.append(_item_test("(" + " OR ".join(["prompt.language = ''", *known]) + ")"))
        if self.categories is not None:
            parts.append(
                _item_test(f"prompt.category IN ({_places('category', len(self.categories))})")
            )
        return "".join(f" AND {part}" for part in parts) + self.care_sql

    @property
    def care_sql(self) -> str:
        """The part of `sql` that nothing overrides: not even a repeat of what they judged brings
        upsetting content back.
        """
        if not self.refused:
            return ""
        # A list's text is the same in both databases. Most prompts have none, and "[]" is compared
        # first.
        kinds = "CAST(prompt.sensitive AS text)"
        unlike = " AND ".join(
            f"{kinds} NOT LIKE %(refused_{place})s" for place in range(len(self.refused))
        )
        return " AND " + _item_test(f"({kinds} = '[]' OR ({unlike}))")

    @property
    def upsetting(self) -> QuerySet[Prompt]:
        """Prompts with content that the rater has not agreed to see."""
        refused = Q()
        for kind in self.refused:
            refused |= Q(kinds__contains=f'"{kind}"')
        prompts = Prompt.objects.annotate(kinds=Cast("sensitive", TextField()))
        return prompts.filter(refused) if refused else prompts.none()

    @property
    def condition(self) -> Q:
        """The same on slots, for the ORM."""
        asked = Q(~Exists(self.upsetting.filter(items=OuterRef("item")))) if self.refused else Q()
        if self.own_sources or self.author is not None:
            own = Q(response__source__in=self.own_sources)
            own |= Q(response__author=self.author) if self.author is not None else Q()
            shown = ItemResponse.objects.filter(own, item=OuterRef("item"))
            asked &= Q(~Exists(shown)) & ~Q(item__prompt__source__in=self.own_sources)
        if self.languages is not None:
            known = Q(item__prompt__language="") | Q(item__prompt__language__in=self.languages)
            for code in self.languages:
                known |= Q(item__prompt__language__startswith=f"{code}-")
            asked &= known
        if self.categories is not None:
            asked &= Q(item__prompt__category__in=self.categories)
        return asked


def fits(*, pool: Pool, raters: Sequence[Rater]) -> dict[int, Fit]:
    """What each of many raters may be given, by rater, in two queries."""
    people = {rater.user_id: rater.pk for rater in raters if rater.user_id}
    own: dict[int, list[int]] = defaultdict(list)
    for person, source in Source.objects.filter(person__in=people).values_list("person_id", "pk"):
        own[people[person]].append(source)
    known: dict[int, dict[str, set[str]]] = defaultdict(
        lambda: {axis: set() for axis in RaterSkill.Axis}
    )
    if pool.routes_by_language or pool.routes_by_category:
        for rater, axis, code in RaterSkill.objects.filter(rater__in=raters).values_list(
            "rater_id", "axis", "code"
        ):
            known[rater][axis].add(code)
    return {
        rater.pk: _fit(pool, rater, tuple(own[rater.pk]), rater.pk, known[rater.pk])
        for rater in raters
    }


def fit(
    *, campaign: Campaign, rater: Rater, pool: Pool | None = None, is_author: bool = True
) -> Fit:
    """One query for the `pool` where it is not given, one for an author, and one more where the
    pool routes.
    """
    own: tuple[int, ...] = ()
    if is_author and rater.user_id:
        own = tuple(Source.objects.filter(person=rater.user_id).values_list("pk", flat=True))
    pool = pool or Pool.objects.only(
        "languages", "expertise", "routes_by_language", "routes_by_category"
    ).get(pk=campaign.pool_id)
    known: dict[str, set[str]] = {axis: set() for axis in RaterSkill.Axis}
    if pool.routes_by_language or pool.routes_by_category:
        for axis, code in rater.skills.values_list("axis", "code"):
            known[axis].add(code)
    return _fit(pool, rater, own, rater.pk if is_author else None, known)


def _fit(
    pool: Pool,
    rater: Rater,
    own: tuple[int, ...],
    author: int | None,
    known: Mapping[str, set[str]],
) -> Fit:
    accepts = frozenset(rater.accepts)
    if not (pool.routes_by_language or pool.routes_by_category):
        return Fit(own, author, accepts=accepts)
    languages = known[RaterSkill.Axis.LANGUAGE] | set(pool.languages)
    categories = (
        known[RaterSkill.Axis.TOPIC] | set(pool.expertise) | {Prompt.Category.OTHER.value}
    ) & set(Prompt.Category.values)
    return Fit(
        own_sources=own,
        author=author,
        languages=frozenset(languages) if pool.routes_by_language else None,
        categories=frozenset(categories) if pool.routes_by_category else None,
        accepts=accepts,
    )


def look_anew(*, rater: Rater | None = None, pool: Pool | None = None) -> None:
    """What suits has changed: the next claims walk their lines from the head again, past what did
    not suit before.
    """
    places = QueuePlace.objects.all()
    places = places.filter(rater=rater) if rater is not None else places.filter(campaign__pool=pool)
    places.update(fresh_rank=HEAD_FRESH, returned_rank=HEAD_RETURNED, swept_at=None)


def look_anew_for(*, prompt: Prompt) -> None:
    """The same for everybody in the campaigns that have this prompt."""
    places = QueuePlace.objects.filter(campaign__in=Campaign.objects.filter(items__prompt=prompt))
    places.update(fresh_rank=HEAD_FRESH, returned_rank=HEAD_RETURNED, swept_at=None)


HEAD_FRESH = -1
HEAD_RETURNED = -(2**62)
"""As labeling.queue's floors: below every rank of its part of the line."""


def _item_test(condition: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM labeling_item item JOIN labeling_prompt prompt ON prompt.id = item.prompt_id"  # noqa: S608  # names of our own
        f" WHERE item.id = free.item_id AND {condition} LIMIT 1 OFFSET 0)"
    )


def _places(name: str, n: int) -> str:
    return ", ".join(f"%({name}_{place})s" for place in range(n))
