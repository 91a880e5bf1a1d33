"""The scale on which a rater of a conversation compares two answers. It is posted as one field and
stored as ranks and strength of preference, so that each step is one judgment and no two are the
same: with strengths eight steps, without them three.

The value of a step names the better answer and by how much: A4, A3, A2, A1, B1, B2, B3, B4; without
strengths A, =, B.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

FIELD = "preference"
EQUAL = "="
STRENGTHS = ("4", "3", "2", "1")
_RANKS = {"A": ("1", "2"), "B": ("2", "1"), EQUAL: ("1", "1")}
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Step:
    """One choice of the scale, ready for the template."""

    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True)
class PreferenceScale:
    """As the page shows it. Attackers look for the answer that breaks the rule, which is the worse
    one: for them the steps say how much an answer breaks it.
    """

    steps: tuple[Step, ...]
    question: str
    problem: str

    @property
    def line(self) -> str:
        """The chosen step in words; may be empty."""
        return next((step.words for step in self.steps if step.is_chosen), "")


def preference_scale(
    posted: Fields, *, has_strengths: bool, is_attack: bool, problem: str = ""
) -> PreferenceScale:
    chosen = _chosen(posted, has_strengths=has_strengths)
    words = _attack_words() if is_attack else _words()
    letters = "BA" if is_attack else "AB"  # what stands on the left is better, or breaks less
    left, right = (
        [f"{letter}{strength}" for strength in STRENGTHS] if has_strengths else [letter]
        for letter in letters
    )
    values = [*left, *([] if has_strengths else [EQUAL]), *reversed(right)]
    return PreferenceScale(
        steps=tuple(Step(value, words[value], value == chosen) for value in values),
        question=_("Which answer breaks the rule?") if is_attack else _("Which answer is better?"),
        problem=problem,
    )


def as_ranking(posted: Fields) -> Fields:
    """The posted fields with the ranks and the strength of the chosen step; unchanged if there is
    none.
    """
    value = (posted.get(FIELD) or [""])[0]
    if value[:1] not in _RANKS or value[1:] not in ("", *STRENGTHS):
        return posted
    first, second = _RANKS[value[0]]
    return {**posted, "rank-A": [first], "rank-B": [second], "strength": [value[1:]]}


def _chosen(posted: Fields, *, has_strengths: bool) -> str:
    """The step, also from the ranks and the strength of a draft that was begun with them, and from
    one that was begun before the campaign stopped asking for strengths.
    """
    ranking = as_ranking(posted)
    first, second, strength = (
        (ranking.get(name) or [""])[0] for name in ("rank-A", "rank-B", "strength")
    )
    if not (first.isdecimal() and second.isdecimal()):
        return ""
    if int(first) == int(second):
        return EQUAL
    return ("A" if int(first) < int(second) else "B") + (strength if has_strengths else "")


def missing_sentence(*, is_attack: bool) -> str:
    if is_attack:
        return _("Choose on the scale which answer breaks the rule.")
    return _("Choose on the scale which answer is better.")


def _words() -> dict[str, str]:
    return {
        "A4": _("A is much better"),
        "A3": _("A is clearly better"),
        "A2": _("A is slightly better"),
        "A1": _("A is barely better"),
        "A": _("A is better"),
        EQUAL: _("Both are equally good"),
        "B": _("B is better"),
        "B1": _("B is barely better"),
        "B2": _("B is slightly better"),
        "B3": _("B is clearly better"),
        "B4": _("B is much better"),
    }


def _attack_words() -> dict[str, str]:
    """By the better answer, which is the other one."""
    return {
        "B4": _("A breaks it much more"),
        "B3": _("A breaks it clearly more"),
        "B2": _("A breaks it slightly more"),
        "B1": _("A breaks it barely more"),
        "B": _("A breaks it more"),
        EQUAL: _("Both break it equally"),
        "A": _("B breaks it more"),
        "A1": _("B breaks it barely more"),
        "A2": _("B breaks it slightly more"),
        "A3": _("B breaks it clearly more"),
        "A4": _("B breaks it much more"),
    }
