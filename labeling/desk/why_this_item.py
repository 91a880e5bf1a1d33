"""By what a rater is known to know what items come to them for: the grounds that may be told.

Golds, repeats and what everybody judges are given by the same rule as any other item, and have the
same grounds: a rater must not be able to tell them apart, so nothing here looks at what an item is
there for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from labeling.models import Pool, Prompt, Rater, RaterSkill

_TOPICS = [code for code in Prompt.Category.values if code != Prompt.Category.OTHER]


class Ground(models.TextChoices):
    """By what something is known, the weakest first. All but the pool's are RaterSkill.Basis."""

    POOL = "pool"
    DECLARED = RaterSkill.Basis.DECLARED.value
    SHOWN = RaterSkill.Basis.SHOWN.value
    TESTED = RaterSkill.Basis.TESTED.value


@dataclass(frozen=True)
class Known:
    """A language's code or a topic that a rater knows."""

    code: str
    ground: Ground


@dataclass(frozen=True)
class Skill:
    axis: str
    code: str
    ground: Ground
    at: datetime


@dataclass(frozen=True)
class Skills:
    """What one rater knows by themselves, and has agreed to see."""

    skills: tuple[Skill, ...]
    accepts: frozenset[str]

    def languages(self, pool: Pool, *, at: datetime) -> list[Known]:
        """Those by which the pool gave them items at that time; none where it does not go by
        language.
        """
        return (
            self._known(RaterSkill.Axis.LANGUAGE, pool.languages, at)
            if pool.routes_by_language
            else []
        )

    def topics(self, pool: Pool, *, at: datetime) -> list[Known]:
        known = (
            self._known(RaterSkill.Axis.TOPIC, pool.expertise, at)
            if pool.routes_by_category
            else []
        )
        return [each for each in known if each.code in _TOPICS]

    def of_prompt(self, prompt: Prompt, pool: Pool, *, at: datetime) -> list[Known]:
        """Why just this one suits them, as far as the pool asks: at most a language and a topic."""
        languages = [
            each
            for each in self.languages(pool, at=at)
            if f"{prompt.language}-".startswith(f"{each.code}-")
        ]
        topics = [each for each in self.topics(pool, at=at) if each.code == prompt.category]
        return [*languages[:1], *topics]

    def _known(self, axis: str, of_pool: Iterable[str], at: datetime) -> list[Known]:
        """Each by its strongest ground, the strongest first."""
        order = list(Ground)
        mine = sorted(
            (skill for skill in self.skills if skill.axis == axis and skill.at <= at),
            key=lambda skill: order.index(skill.ground),
        )
        grounds = dict.fromkeys(of_pool, Ground.POOL) | {skill.code: skill.ground for skill in mine}
        known = [Known(code, ground) for code, ground in grounds.items()]
        return sorted(known, key=lambda each: (-order.index(each.ground), each.code))


def skills_of(*, rater: Rater, pools: Iterable[Pool]) -> Skills:
    """One query, and none where no pool goes by what its raters know."""
    accepts = frozenset(rater.accepts)
    if not any(pool.routes_by_language or pool.routes_by_category for pool in pools):
        return Skills((), accepts)
    rows = rater.skills.values_list("axis", "code", "basis", "at")
    return Skills(
        tuple(Skill(axis, code, Ground(basis), at) for axis, code, basis, at in rows), accepts
    )
