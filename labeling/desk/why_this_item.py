"""Why items come to a rater, as far as the rater may know: the skills and agreements that match.

Golds, repeats and items for all raters follow the same rules as any other item, and show the same
reasons. A rater must not be able to tell them apart, so nothing here reads an item's purpose.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from labeling.models import Pool, Prompt, Rater, RaterSkill

_TOPICS = [code for code in Prompt.Category.values if code != Prompt.Category.OTHER]


class SkillBasis(models.TextChoices):
    """How a skill is known, weakest first. All but POOL are values of RaterSkill.Basis."""

    POOL = "pool"
    DECLARED = RaterSkill.Basis.DECLARED.value
    SHOWN = RaterSkill.Basis.SHOWN.value
    TESTED = RaterSkill.Basis.TESTED.value


@dataclass(frozen=True)
class KnownSkill:
    """A language code or topic that a rater knows."""

    code: str
    basis: SkillBasis


@dataclass(frozen=True)
class HeldSkill:
    axis: str
    code: str
    basis: SkillBasis
    at: datetime


@dataclass(frozen=True)
class RaterSkills:
    """One rater's own skills, and the kinds of upsetting content they have agreed to see."""

    skills: tuple[HeldSkill, ...]
    accepts: frozenset[str]

    def languages(self, pool: Pool, *, at: datetime) -> list[KnownSkill]:
        """The languages by which the pool assigned them items at that time; empty if it does not
        route by language.
        """
        return (
            self._known(RaterSkill.Axis.LANGUAGE, pool.languages, at)
            if pool.routes_by_language
            else []
        )

    def topics(self, pool: Pool, *, at: datetime) -> list[KnownSkill]:
        known = (
            self._known(RaterSkill.Axis.TOPIC, pool.expertise, at)
            if pool.routes_by_category
            else []
        )
        return [skill for skill in known if skill.code in _TOPICS]

    def of_prompt(self, prompt: Prompt, pool: Pool, *, at: datetime) -> list[KnownSkill]:
        """Why this item matches, as far as the pool asks: at most one language and one topic."""
        languages = [
            skill
            for skill in self.languages(pool, at=at)
            if f"{prompt.language}-".startswith(f"{skill.code}-")
        ]
        topics = [skill for skill in self.topics(pool, at=at) if skill.code == prompt.category]
        return [*languages[:1], *topics]

    def _known(self, axis: str, of_pool: Iterable[str], at: datetime) -> list[KnownSkill]:
        """Each code with its strongest basis, strongest first."""
        order = list(SkillBasis)
        mine = sorted(
            (skill for skill in self.skills if skill.axis == axis and skill.at <= at),
            key=lambda skill: order.index(skill.basis),
        )
        grounds = dict.fromkeys(of_pool, SkillBasis.POOL) | {
            skill.code: skill.basis for skill in mine
        }
        known = [KnownSkill(code, basis) for code, basis in grounds.items()]
        return sorted(known, key=lambda entry: (-order.index(entry.basis), entry.code))


def skills_of(*, rater: Rater, pools: Iterable[Pool]) -> RaterSkills:
    """One query; none if no pool routes by skills."""
    accepts = frozenset(rater.accepts)
    if not any(pool.routes_by_language or pool.routes_by_category for pool in pools):
        return RaterSkills((), accepts)
    rows = rater.skills.values_list("axis", "code", "basis", "at")
    return RaterSkills(
        tuple(HeldSkill(axis, code, SkillBasis(basis), at) for axis, code, basis, at in rows),
        accepts,
    )
