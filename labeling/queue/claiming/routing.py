"""Which items match a rater: not written by themselves, no upsetting content that they have not
agreed to, and in a pool that routes, only languages and categories that they know.

Each rule is a class that expresses the same condition twice: in SQL, for the claim and for ORM
filters, and in Python, for many raters and items at a time.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from labeling.models import Campaign, Pool, Prompt, Rater, RaterSkill, Source
from labeling.queue.claiming.item_tests import ItemTest, all_of, not_met, without_comments


@dataclass(frozen=True)
class ItemFacts:
    """What the rules read of an item."""

    language: str
    category: str
    sensitive: Collection[str]
    """Prompt.Upset values"""
    sources: Collection[int]
    """sources of its prompt and its responses"""
    authors: Collection[int]
    """raters who wrote one of its responses"""


class RoutingRule(Protocol):
    @property
    def test(self) -> ItemTest:
        """The condition in SQL."""

    def holds(self, item: ItemFacts) -> bool:
        """The condition in Python."""


@dataclass(frozen=True)
class NotTheirOwn:
    """Neither the prompt nor a response is the rater's own text."""

    sources: tuple[int, ...]
    author: int | None

    @property
    def test(self) -> ItemTest:
        mine = _places("own", len(self.sources))
        own = [f"text.source_id IN ({mine})"] if self.sources else []
        own += ["text.author_id = %(author_0)s"] if self.author is not None else []
        tests = [_NO_RESPONSE.replace("{such}", " OR ".join(own))]
        if self.sources:
            tests.append(_prompt_test(f"prompt.source_id NOT IN ({mine})"))
        authors = [self.author] if self.author is not None else []
        values = _named("own", self.sources) | _named("author", authors)
        return ItemTest(" AND ".join(tests), values)

    def holds(self, item: ItemFacts) -> bool:
        is_source = any(source in item.sources for source in self.sources)
        return not is_source and self.author not in item.authors


@dataclass(frozen=True)
class LanguageKnown:
    """A prompt without a language matches everybody; a rater who knows "pt" also gets "pt-BR"."""

    codes: frozenset[str]

    @property
    def test(self) -> ItemTest:
        codes = sorted(self.codes)
        known = [f"prompt.language IN ({_places('language', len(codes))})"] if codes else []
        known += [f"prompt.language LIKE %(like_{place})s" for place in range(len(codes))]
        values = _named("language", codes) | _named("like", [f"{code}-%" for code in codes])
        known = ["prompt.language = ''", *known]
        return ItemTest(_prompt_test(f"({' OR '.join(known)})"), values)

    def holds(self, item: ItemFacts) -> bool:
        language = item.language
        return not language or any(f"{language}-".startswith(f"{code}-") for code in self.codes)


@dataclass(frozen=True)
class CategoryKnown:
    categories: frozenset[str]

    @property
    def test(self) -> ItemTest:
        known = sorted(self.categories)
        condition = f"prompt.category IN ({_places('category', len(known))})"
        return ItemTest(_prompt_test(condition), _named("category", known))

    def holds(self, item: ItemFacts) -> bool:
        return item.category in self.categories


@dataclass(frozen=True)
class NothingRefused:
    """No upsetting content of a kind that the rater has not agreed to."""

    kinds: tuple[str, ...]

    @property
    def test(self) -> ItemTest:
        # The list as text reads the same in both databases. Most prompts have an empty one, so that
        # is compared first.
        kinds = "CAST(prompt.sensitive AS text)"
        places = range(len(self.kinds))
        unlike = " AND ".join(f"{kinds} NOT LIKE %(refused_{place})s" for place in places)
        values = _named("refused", [f'%"{kind}"%' for kind in self.kinds])
        return ItemTest(_prompt_test(f"({kinds} = '[]' OR ({unlike}))"), values)

    def holds(self, item: ItemFacts) -> bool:
        return not any(kind in item.sensitive for kind in self.kinds)


_NO_RESPONSE = without_comments("""
    NOT EXISTS (
        -- the responses that the item shows
        SELECT 1 FROM labeling_itemresponse shown
        JOIN labeling_response text ON text.id = shown.response_id
        WHERE shown.item_id = {item} AND ({such})
        -- in a claim, tested item by item: see item_tests.IN_A_CLAIM
        {one_at_a_time}
    )
""")
_PROMPT = without_comments("""
    EXISTS (
        -- the item's only prompt
        SELECT 1 FROM labeling_item item
        JOIN labeling_prompt prompt ON prompt.id = item.prompt_id
        WHERE item.id = {item} AND {such}
        -- in a claim, tested item by item: see item_tests.IN_A_CLAIM
        {one_at_a_time}
    )
""")


@dataclass(frozen=True)
class Fit:
    """What a claim requires of an item for one rater. For most raters, only that they have not met
    it.
    """

    rater: int
    own_sources: tuple[int, ...] = ()
    is_author: bool = False
    """some responses may be the rater's own demonstrations"""
    languages: frozenset[str] | None = None
    """codes that the rater knows; None if the pool does not route by language"""
    categories: frozenset[str] | None = None
    accepts: frozenset[str] = frozenset(Prompt.Upset.values)
    """kinds of upsetting content that the rater has agreed to"""

    @property
    def refused(self) -> list[str]:
        return sorted(set(Prompt.Upset.values) - self.accepts)

    @cached_property
    def claim_test(self) -> ItemTest:
        """Not met before, and matches the rater."""
        return all_of([self.not_met, self.test])

    @cached_property
    def repeat_test(self) -> ItemTest:
        """For a repeat of an item they judged: it need not match their skills any more, but must
        not show upsetting content that they have refused since.
        """
        return all_of([self.not_met, self.care_test])

    @cached_property
    def not_met(self) -> ItemTest:
        return not_met(self.rater)

    @cached_property
    def conditions(self) -> Sequence[RoutingRule]:
        rules: list[RoutingRule] = []
        if self.own_sources or self.is_author:
            author = self.rater if self.is_author else None
            rules.append(NotTheirOwn(self.own_sources, author))
        if self.languages is not None:
            rules.append(LanguageKnown(self.languages))
        if self.categories is not None:
            rules.append(CategoryKnown(self.categories))
        return [*rules, *self._care]

    @cached_property
    def test(self) -> ItemTest:
        """The item matches the rater."""
        return all_of(condition.test for condition in self.conditions)

    @cached_property
    def care_test(self) -> ItemTest:
        """The part of `test` about upsetting content."""
        return all_of(condition.test for condition in self._care)

    def takes(self, item: ItemFacts) -> bool:
        """The same as `test`, in Python."""
        return all(condition.holds(item) for condition in self.conditions)

    @property
    def _care(self) -> Sequence[RoutingRule]:
        return [NothingRefused(tuple(self.refused))] if self.refused else []


def fits(*, pool: Pool, raters: Sequence[Rater]) -> dict[int, Fit]:
    """The Fit of each of many raters, by rater, in two queries."""
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
        rater.pk: _fit(pool, rater, tuple(own[rater.pk]), True, known[rater.pk]) for rater in raters
    }


def fit(
    *, campaign: Campaign, rater: Rater, pool: Pool | None = None, is_author: bool = True
) -> Fit:
    """The Fit of one rater. One query for the `pool` if it is not given, one for an author, and one
    if the pool routes.
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
    return _fit(pool, rater, own, is_author, known)


def _fit(
    pool: Pool,
    rater: Rater,
    own: tuple[int, ...],
    is_author: bool,
    known: Mapping[str, set[str]],
) -> Fit:
    languages = categories = None
    if pool.routes_by_language:
        languages = frozenset(known[RaterSkill.Axis.LANGUAGE].union(pool.languages))
    if pool.routes_by_category:
        everybody = {*pool.expertise, Prompt.Category.OTHER.value}
        categories = frozenset(known[RaterSkill.Axis.TOPIC] | everybody) & {*Prompt.Category.values}
    return Fit(
        rater=rater.pk,
        own_sources=own,
        is_author=is_author,
        languages=languages,
        categories=categories,
        accepts=frozenset(rater.accepts),
    )


def _prompt_test(condition: str) -> str:
    return _PROMPT.replace("{such}", condition)


def _places(name: str, n: int) -> str:
    return ", ".join(f"%({name}_{place})s" for place in range(n))


def _named(name: str, values: Sequence[object]) -> dict[str, object]:
    return {f"{name}_{place}": value for place, value in enumerate(values)}
