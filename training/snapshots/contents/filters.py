"""What goes into a snapshot: chosen by forms, the API and schedules, and kept on its card."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from training.snapshots.draws import Draw


class Judges(models.TextChoices):
    """Which verdicts of AI judges are learned from."""

    NONE = "none", _("people only")
    TRUSTED = "trusted", _("people, and judges where they are trusted")
    WEIGHTED = "weighted", _("people, and all verdicts of judges, weighted")


@dataclass(frozen=True)
class Filters:
    """What goes into a snapshot. Empty tuples and None mean all."""

    campaigns: tuple[int, ...] = ()
    includes_imports: bool = True
    includes_extra: bool = False
    includes_repeats: bool = False
    """Judgments of responses: repeats of an item for the same rater, for self-agreement."""
    includes_set_aside: bool = False
    """Comparisons and demonstrations: answers that a reviewer set aside."""
    categories: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("train",)
    """Prompts only. Runs that sample or train must not use the prompts that evaluate them."""
    weighs_by_reliability: bool = False
    """Judgments of responses: weights each one by its rater's reliability instead of 1."""
    fresh_for: int | None = None
    """Comparisons only: a snapshot's id. Keeps judgments made after it, on items it has none of."""
    best_of: tuple[int, ...] = ()
    """Ids of sampling runs. Demonstrations: instead of human answers, takes the response to each
    prompt that the run's reward model scores highest: rejection sampling (Touvron 2023, Llama 2,
    §3.2.3). Comparisons: takes that one and the one it scores lowest, as a pair: iterative DPO
    (Dong 2024, RLHF Workflow, §3).
    """
    revised_in: tuple[int, ...] = ()
    """Ids of runs that revised answers. Demonstrations: instead of human answers, takes the last
    revision of each prompt. Comparisons: takes it and the answer before all revisions, as a pair.
    """
    best_voted_in: tuple[int, ...] = ()
    """Demonstrations only: ids of comparison campaigns. Instead of human answers, takes of each
    item the response that raters clearly prefer.
    """
    limit: int | None = None
    """Prompts only: the number of prompts. They are chosen by a hash of their text, so that the
    choice is always the same.
    """
    judges: str = Judges.NONE.value
    """Judgments of responses: which verdicts of AI judges go in beside what people said."""
    draw: Draw | None = None
    """Prompts only: draws other prompts for each cycle of a chain, in place of `limit`."""

    @property
    def takes_best(self) -> bool:
        """Whether models' best responses take the place of human answers."""
        return bool(self.best_of or self.revised_in or self.best_voted_in)

    @property
    def takes_verdicts(self) -> bool:
        return self.judges != Judges.NONE and not self.takes_best and self.fresh_for is None

    @classmethod
    def from_json(cls, raw: dict[str, object]) -> "Filters":
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()
        }
        drawn = values.get("draw")
        # Not a filter: a snapshot that a recipe cleaned names it beside its filters.
        values.pop("recipe", None)
        return cls(**values | {"draw": Draw(**drawn) if drawn else None})

    def as_json(self) -> dict[str, object]:
        """Of people only, it names no judges: the same filters give the same card as ever."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name != "judges" or value != Judges.NONE
        }
