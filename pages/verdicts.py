"""What a page with figures comes to: a sentence, what to do, and the one button that fits."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Effect(StrEnum):
    """What the interval carries. UNCLEAR: chance may explain what was measured."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = ""


@dataclass(frozen=True)
class Action:
    """A button: a link, or with `is_act` a form that is sent."""

    label: str
    url: str
    is_act: bool = False


@dataclass(frozen=True)
class Verdict:
    """`sentence` says what came out and how sure that is; `action` is the page's primary button,
    `others` stand beside it.
    """

    sentence: str
    advice: str = ""
    effect: Effect = Effect.UNCLEAR
    action: Action | None = None
    others: tuple[Action, ...] = ()

    def with_actions(self, actions: Iterable[Action]) -> "Verdict":
        """The first is the primary one."""
        fitting = [*actions]
        return replace(self, action=next(iter(fitting), None), others=tuple(fitting[1:]))


def effect_of(
    low: float | None, high: float | None, *, bar: float = 0.0, is_more_better: bool = True
) -> Effect:
    """What an interval says of a figure that is `bar` where nothing happened."""
    if low is None or high is None or low <= bar <= high:
        return Effect.UNCLEAR
    return Effect.BETTER if (low > bar) == is_more_better else Effect.WORSE
