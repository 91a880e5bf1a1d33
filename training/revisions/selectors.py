"""What raters say about a run's revisions, over all of them and by principle."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Campaign, Item, Response, Slot
from labeling.quality import contests
from training.models import RevisionCheck, Run
from training.snapshots.response_numbers import numbers_of

FEWEST_PAIRS = 30
"""Of a principle: below it, no share is shown."""


@dataclass(frozen=True)
class Part:
    """How often raters preferred revisions to the answers before them; ties are half."""

    figure: Figure
    n_pairs: int
    """with a vote"""


@dataclass(frozen=True)
class ByPrinciple:
    label: str
    part: Part


@dataclass(frozen=True)
class Preferred:
    check: RevisionCheck
    whole: Part
    n_open: int
    """answers that the campaign still waits for"""
    principles: list[ByPrinciple]
    """The revisions that were made by each, in any round; most pairs first. Their intervals hold
    together in 95 % of cases.
    """


def preferred(*, run: Run) -> Preferred | None:
    """None before raters were asked."""
    check = RevisionCheck.objects.filter(run=run).select_related("campaign").first()
    if check is None:
        return None
    written = _written(check, run)
    wins = contests.wins_of_responses(
        campaign=check.campaign, response_ids=[of[-1].pk for of in written.values()]
    )
    prompts_by_name: dict[str, set[int]] = defaultdict(set)
    for prompt, responses in written.items():
        for response in responses[1:]:
            prompts_by_name[str(response.sampling.get("principle", ""))].add(prompt)
    voted = set(wins.prompt.tolist())
    n_shown = sum(len(of & voted) >= FEWEST_PAIRS for of in prompts_by_name.values())
    labels = _labels(run)
    principles = []
    for name, prompts in prompts_by_name.items():
        own = wins.where(np.isin(wins.prompt, np.array([*prompts], dtype=np.int64)))
        figure = own.share(error=intervals.ERROR / max(n_shown, 1))
        principles.append(ByPrinciple(labels.get(name, name), Part(figure, len(prompts & voted))))
    principles.sort(key=lambda row: (-row.part.n_pairs, row.label))
    return Preferred(check, Part(wins.share(), len(voted)), _n_open(check.campaign), principles)


def _written(check: RevisionCheck, run: Run) -> Mapping[int, list[Response]]:
    """By prompt of the campaign: the run's answer and its revisions, in order."""
    numbers = numbers_of(run.pk)
    rows = Response.objects.filter(
        source=run.base_model.source_id,
        number__gte=numbers.start,
        number__lt=numbers.stop,
        prompt__in=Item.objects.filter(campaign=check.campaign_id).values("prompt"),
    )
    found: dict[int, list[Response]] = defaultdict(list)
    for row in rows.order_by("prompt_id", "number").defer("text"):
        found[row.prompt_id].append(row)
    return found


def _labels(run: Run) -> dict[str, str]:
    """Name → label of each principle, in the version that the run read."""
    version = run.config.get("constitution")
    return guidelines_selectors.principle_labels(version=version if version else 0)


def _n_open(campaign: Campaign) -> int:
    if campaign.state == Campaign.State.CLOSED:
        return 0
    owed = Slot.objects.filter(campaign=campaign, is_gold=False, item__repeat_of=None)
    return owed.exclude(state=Slot.State.SUBMITTED).count()
