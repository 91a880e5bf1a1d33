"""The looks of a gate. Raters get its test prompts in equal parts, and after each part the gate
looks at the votes: it decides, or opens the next part. The rest is held and costs nobody's time.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import pairwise

from arithmetic.figures import Figure
from arithmetic.sequential import group_sequential
from labeling.data import intake
from labeling.models import Campaign, Item, Prompt
from training.models import Chain, Link
from training.schedules.plans.settings import PlanSettings


@dataclass(frozen=True)
class Look:
    """What a gate saw at one look, and what it did; stored with its link."""

    number: int
    n_looks: int
    at: str
    error: float
    """the chance that each end of the interval misses, at this look alone"""
    value: float | None
    low: float | None
    high: float | None
    n: int
    """votes"""
    about: str
    decision: str
    """an Outcome"""
    n_opened: int = 0
    """test prompts that raters got then"""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def taken(link: Link) -> list[Look]:
    return [Look(**look) for look in link.looks]


def error_of(plan: PlanSettings, number: int) -> float:
    """The chance that this look may be wrong with, one-sided; `number` counts from 1."""
    shares = [(place + 1) / plan.n_looks for place in range(plan.n_looks)]
    levels = group_sequential.levels(shares, 1 - plan.confidence / 100)
    return levels[min(number, plan.n_looks) - 1]


@dataclass(frozen=True)
class Part:
    """The test prompts that raters get before one look."""

    chain: Chain
    campaign: Campaign | None
    n_looks: int
    number: int
    """of the look, from 1"""

    @property
    def has_more(self) -> bool:
        """Whether raters can be asked about more test prompts."""
        campaign = self.campaign
        is_closed = campaign is None or campaign.state == Campaign.State.CLOSED
        return self.number < self.n_looks and not is_closed and bool(self.held)

    @cached_property
    def held(self) -> list[int]:
        """Items of later parts that raters have not got."""
        return intake.held_items(
            item_ids=[pk for part in self._parts[self.number :] for pk in part]
        )

    def hold_rest(self, now: datetime) -> None:
        """Keeps the later parts of a new campaign from raters."""
        later = [pk for part in self._parts[self.number :] for pk in part]
        intake.hold_items(item_ids=later, now=now)

    def open_next(self, now: datetime) -> int:
        """Gives raters the next part; returns the number of its test prompts."""
        return intake.release_items(item_ids=self._parts[self.number], now=now)

    @cached_property
    def _parts(self) -> list[list[int]]:
        """Test items, shuffled, so that each part stands for all of them."""
        items = Item.objects.filter(
            campaign=self.campaign,
            prompt__split=Prompt.Split.TEST,
            repeat_of=None,
            gold_use=None,
        )
        shuffled = sorted(items.values_list("pk", flat=True), key=self._place)
        ends = [round(len(shuffled) * place / self.n_looks) for place in range(self.n_looks + 1)]
        return [shuffled[start:end] for start, end in pairwise(ends)]

    def _place(self, pk: int) -> str:
        return sha256(f"{self.chain.pk}:{pk}".encode()).hexdigest()


def look_of(part: Part, error: float, rate: Figure, decision: str, now: datetime) -> Look:
    return Look(
        number=part.number,
        n_looks=part.n_looks,
        at=now.isoformat(),
        error=error,
        value=rate.value,
        low=rate.low,
        high=rate.high,
        n=rate.n,
        about=rate.about,
        decision=decision,
    )
