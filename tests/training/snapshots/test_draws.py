"""Chains draw fresh prompts: those used least first, the same for the same cycle, none too
often.
"""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.models import Prompt
from tests.training.conftest import NOW
from tests.training.snapshots.test_freezing import on_split, rows
from training.models import Run, Snapshot, TrainedModel
from training.snapshots import draws
from training.snapshots import services as snapshots_services
from training.snapshots.contents.filters import Filters
from training.snapshots.draws import Draw
from training.snapshots.freeze import UnableToCreate

pytestmark = pytest.mark.django_db


def draw(
    noor: User,
    cycle: int,
    n: int | None = 3,
    *,
    max_uses: int | None = None,
    purpose: str = draws.PRACTICE,
) -> Snapshot:
    limits = {} if n is None else {"train": n, "validation": 1}
    return snapshots_services.create_snapshot(
        kind="prompts",
        name=f"cycle {cycle}",
        filters=Filters(
            splits=("train", "validation"), draw=Draw(purpose, cycle, limits, max_uses)
        ),
        by=noor,
        now=NOW,
    )


def drawn(snapshot: Snapshot, settings: LazySettings) -> set[int]:
    return {row["prompt_id"] for row in rows(snapshot, settings)}


@pytest.fixture
def practise(base_model: TrainedModel) -> Callable[[Snapshot], Run]:
    return lambda snapshot: Run.objects.create(
        name="PPO", kind="ppo", snapshot=snapshot, base_model=base_model
    )


def test_each_cycle_draws_prompts_that_were_not_practised_before(
    noor: User, practise: Callable[[Snapshot], Run], settings: LazySettings
) -> None:
    prompts = {one.pk for one in on_split("train", 9)}
    seen: list[int] = []
    for cycle in (1, 2, 3):
        snapshot = draw(noor, cycle)
        practise(snapshot)
        seen += drawn(snapshot, settings)

    assert sorted(seen) == sorted(prompts)


def test_the_same_cycle_draws_the_same_prompts_and_another_cycle_others(
    noor: User, settings: LazySettings
) -> None:
    on_split("train", 30)

    first, again, second = (drawn(draw(noor, n), settings) for n in (1, 1, 2))

    assert first == again
    assert first != second


def test_a_prompt_is_practised_in_no_more_cycles_than_the_limit(
    noor: User, practise: Callable[[Snapshot], Run], settings: LazySettings
) -> None:
    on_split("train", 4)
    for cycle in (1, 2):
        practise(draw(noor, cycle, None, max_uses=2))

    with pytest.raises(UnableToCreate, match="4 × used 2 times"):
        draw(noor, 3, None, max_uses=2)


def test_a_near_duplicate_counts_as_the_prompt_itself(
    noor: User, practise: Callable[[Snapshot], Run], settings: LazySettings
) -> None:
    twins = [one.pk for one in on_split("train", 2)]
    Prompt.objects.filter(pk__in=twins).update(cluster="twins")
    first = draw(noor, 1, 1)
    practise(first)
    (fresh,) = on_split("train", 1)

    assert drawn(draw(noor, 2, 1), settings) == {fresh.pk}


def test_a_snapshot_that_nothing_practised_on_counts_for_nothing(
    noor: User, practise: Callable[[Snapshot], Run]
) -> None:
    on_split("train", 2)
    snapshot = draw(noor, 1, None)
    Run.objects.filter(pk=practise(snapshot).pk).update(is_dry=True)

    assert draw(noor, 2, None, max_uses=1).n_rows == 2
