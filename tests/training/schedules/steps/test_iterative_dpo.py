"""Iterative DPO: each chain learns from the current model's own responses, which a reward model
scored or raters compared.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils.formats import date_format

from accounts.models import User
from labeling.models import (
    Campaign,
    Comparison,
    Guideline,
    Import,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Slot,
)
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.schedules.test_chain_plans import answer
from tests.training.snapshots.test_freezing import compare, on_split, rows
from training.models import Chain, TrainedModel
from training.registry.archive import cards
from training.registry.lineage import withdrawals
from training.schedules import chains as schedules_chains
from training.schedules import selectors as schedules_selectors
from training.snapshots import selectors as snapshots_selectors
from training.snapshots import services as snapshots_services
from training.snapshots.contents.filters import Filters

pytestmark = pytest.mark.django_db


def judged(campaign: Campaign, rater: Rater, wins: Callable[[Response], bool]) -> None:
    """The rater compares the responses of each item."""
    for item in campaign.items.order_by("pk"):
        judgment = Judgment.of_people.create(
            kind="comparison",
            rater=rater,
            prompt=item.prompt,
            item=item,
            campaign=campaign,
            submitted_at=NOW,
        )
        comparison = Comparison.objects.create(judgment=judgment)
        for position, response in enumerate(item.responses.order_by("pk")):
            RankedResponse.objects.create(
                comparison=comparison,
                response=response,
                position=position,
                rank=1 if wins(response) else 2,
            )
        Slot.objects.filter(item=item).update(state="submitted", rater=rater)


def compares_both(chain: Chain, prompts: list[Prompt], rater: Rater, new: TrainedModel) -> None:
    """Both models answer the test prompts, and the rater prefers the new one's responses."""
    for step in ("sample", "sample_before"):
        answer(chain, step, [prompt.pk for prompt in prompts], n=1)
        run_ends(chain, step, responses=1)
    campaign = link(chain, "campaign").campaign
    assert campaign is not None
    judged(campaign, rater, lambda response: response.source_id == new.source_id)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)


def best_and_worst(chain: Chain, step: str, settings: LazySettings) -> list[tuple[str, str]]:
    snapshot = link(chain, step).snapshot
    assert snapshot is not None
    found = []
    for row in rows(snapshot, settings):
        best, worst = sorted(row["responses"], key=lambda response: response["rank"])
        found.append((best["text"], worst["text"]))
    return found


@pytest.fixture
def scored(
    begin: Callable[..., Chain], day_shift: Pool, guideline: Guideline
) -> Callable[[list[Prompt]], Chain]:
    """A chain whose current model answered the prompts, up to DPO."""

    def make(prompts: list[Prompt]) -> Chain:
        chain = begin(
            "iterative-dpo",
            pool=day_shift.pk,
            guideline=guideline.pk,
            n_candidates=3,
            n_responses=2,
            overlap=1,
        )
        run_ends(chain, "reward")
        answer(chain, "candidates", [prompt.pk for prompt in prompts], n=3, scores=[0.1, 0.9, 0.5])
        run_ends(chain, "candidates", responses=3)
        return chain

    return make


def test_the_best_against_the_worst_improve_the_model_that_wrote_them(
    scored: Callable[[list[Prompt]], Chain],
    begin: Callable[..., Chain],
    rosa: Rater,
    base_model: TrainedModel,
    settings: LazySettings,
) -> None:
    prompts, asked = on_split("train", 2), on_split("test", 20)
    compare(prompts[0], rosa, [1, 2])
    chain = scored(prompts)

    assert best_and_worst(chain, "scored_pairs", settings) == [
        (f"candidates 1 to {one.pk}", f"candidates 0 to {one.pk}") for one in prompts
    ]
    run = run_of(chain, "dpo_scored")
    assert (run.kind, run.base_model, run.reward_model) == ("dpo", base_model, None)
    assert run.snapshot == link(chain, "scored_pairs").snapshot
    run_ends(chain, "dpo_scored")
    new = TrainedModel.objects.get(run=run)
    compares_both(chain, asked, rosa, new)

    assert (again(chain).state, link(chain, "gate").verdict["outcome"]) == ("finished", "passed")
    following = begin()
    run_ends(following, "reward")
    assert run_of(following, "candidates").base_model == new


def test_each_chain_learns_from_its_own_responses_alone(
    scored: Callable[[list[Prompt]], Chain], rosa: Rater, noor: User, settings: LazySettings
) -> None:
    (prompt,) = on_split("train")
    compare(prompt, rosa, [1, 2])
    first = scored([prompt])
    schedules_chains.stop_chain(chain=again(first), by=noor, now=NOW)

    second = scored([prompt])

    for chain in (first, second):
        snapshot = link(chain, "scored_pairs").snapshot
        assert snapshot is not None
        assert snapshot.n_rows == 1
        assert snapshot.filters["best_of"] == [run_of(chain, "candidates").pk]


def test_one_snapshot_can_hold_the_pairs_of_several_runs_on_the_same_prompts(
    scored: Callable[[list[Prompt]], Chain], rosa: Rater, noor: User
) -> None:
    (prompt,) = on_split("train")
    compare(prompt, rosa, [1, 2])
    first = scored([prompt])
    schedules_chains.stop_chain(chain=again(first), by=noor, now=NOW)
    runs = tuple(run_of(chain, "candidates").pk for chain in (first, scored([prompt])))

    snapshot = snapshots_services.create_snapshot(
        kind="comparisons", name="both", filters=Filters(best_of=runs), by=noor, now=NOW
    )

    assert snapshot.n_rows == 2
    assert list(snapshot.drawn.values_list("prompt", flat=True)) == [prompt.pk]


def test_scored_pairs_say_who_wrote_and_who_scored_them_and_a_withdrawal_finds_them(
    scored: Callable[[list[Prompt]], Chain], rosa: Rater, noor: User, signed_in: Callable[..., Any]
) -> None:
    (prompt,) = on_split("train")
    compare(prompt, rosa, [1, 2])
    chain = scored([prompt])
    run_ends(chain, "dpo_scored")
    snapshot = link(chain, "scored_pairs").snapshot
    assert snapshot is not None
    model = TrainedModel.objects.get(run=run_of(chain, "dpo_scored"))
    judge = TrainedModel.objects.get(run=run_of(chain, "reward"))

    words = dict(snapshots_selectors.filters_in_words(snapshot=snapshot))

    whose = {str(name): value for name, value in words.items()}
    assert whose["Best and worst responses of"] == (
        f"{run_of(chain, 'candidates').name} ({judge.name})"
    )
    assert (snapshot.card["pairs"]["train"], snapshot.card["demonstrations"]) == (1, 0)
    assert "the best responses against the worst of" in cards.generated_card(model=model)
    assert model in withdrawals.touched_by(rater=rosa).models
    page = signed_in(noor).get(f"/snapshots/{snapshot.pk}/rows/").content.decode()
    assert f"candidates 1 to {prompt.pk}" in page


def test_responses_that_a_reward_model_finds_equal_teach_nothing(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    settings: LazySettings,
) -> None:
    tied, decided = on_split("train", 2)
    compare(tied, rosa, [1, 2])
    chain = begin("iterative-dpo", pool=day_shift.pk, guideline=guideline.pk, n_candidates=2)
    run_ends(chain, "reward")
    answer(chain, "candidates", [tied.pk], n=2, scores=[0.5, 0.5])
    answer(chain, "candidates", [decided.pk], n=2, scores=[0.4, 0.5])
    run_ends(chain, "candidates", responses=4)

    assert best_and_worst(chain, "scored_pairs", settings) == [
        (f"candidates 1 to {decided.pk}", f"candidates 0 to {decided.pk}")
    ]


def test_of_two_with_the_same_score_one_that_was_cut_off_is_the_worse(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    settings: LazySettings,
) -> None:
    (prompt,) = on_split("train")
    compare(prompt, rosa, [1, 2])
    chain = begin("iterative-dpo", pool=day_shift.pk, guideline=guideline.pk, n_candidates=2)
    run_ends(chain, "reward")
    answer(chain, "candidates", [prompt.pk], n=2, scores=[0.5, 0.5])
    Response.objects.filter(text__startswith="candidates 0").update(is_ended=False)
    run_ends(chain, "candidates", responses=2)

    assert best_and_worst(chain, "scored_pairs", settings) == [
        (f"candidates 1 to {prompt.pk}", f"candidates 0 to {prompt.pk}")
    ]


def test_raters_compare_the_current_models_responses_and_dpo_learns_from_these_alone(
    begin: Callable[..., Chain],
    rosa: Rater,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
    settings: LazySettings,
) -> None:
    prompts, asked = on_split("train", 4), on_split("test", 20)
    imported = compare(prompts[0], rosa, [1, 2])  # somebody's earlier comparison
    batch = Import.objects.create(
        file_name="a", path="a", source=prompts[0].source, state=Import.State.PUBLISHED
    )
    Judgment.of_people.filter(pk=imported.pk).update(import_batch=batch)
    chain = begin(
        "iterative-dpo-raters",
        pool=day_shift.pk,
        guideline=guideline.pk,
        n_responses=2,
        n_taught=4,
        n_judged=20,
        overlap=1,
    )
    assert run_of(chain, "sample_now").base_model == base_model
    answer(chain, "sample_now", [prompt.pk for prompt in prompts], n=2)
    run_ends(chain, "sample_now", responses=2)
    campaign = link(chain, "campaign_now").campaign
    assert campaign is not None
    assert campaign.items.count() == 4
    assert campaign.name == f"Weekly 1 · comparison to learn from · {date_format(NOW, 'j M Y')}"
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    assert (again(chain).state, link(chain, "asked_pairs").state) == ("going", "waiting")

    judged(campaign, rosa, lambda response: " 1 to " in response.text)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert best_and_worst(chain, "asked_pairs", settings) == [
        (f"sample_now 1 to {one.pk}", f"sample_now 0 to {one.pk}") for one in prompts
    ]
    assert run_of(chain, "dpo_asked").base_model == base_model
    run_ends(chain, "dpo_asked")
    held_out = link(chain, "held_out").snapshot
    assert held_out is not None
    assert held_out.card["splits"] == {"train": 0, "validation": 0, "test": 20}
    new = TrainedModel.objects.get(run=run_of(chain, "dpo_asked"))
    compares_both(chain, asked, rosa, new)
    compared = link(chain, "campaign").campaign
    assert compared is not None
    assert compared.name == f"Weekly 1 · comparison · {date_format(NOW, 'j M Y')}"
    assert link(chain, "gate").verdict["outcome"] == "passed"
    following = begin()
    assert run_of(following, "sample_now").base_model == new


def test_prompts_that_raters_have_seen_are_drawn_last(
    begin: Callable[..., Chain], noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    on_split("train", 4)
    shown = []
    for _time in range(2):
        chain = begin("iterative-dpo-raters", pool=day_shift.pk, guideline=guideline.pk, n_taught=2)
        snapshot = link(chain, "taught").snapshot
        assert snapshot is not None
        shown.append(set(snapshot.drawn.values_list("prompt", flat=True)))
        schedules_chains.stop_chain(chain=again(chain), by=noor, now=NOW)

    assert [len(prompts) for prompts in shown] == [2, 2]
    assert not shown[0] & shown[1]


def test_a_chain_that_asks_needs_no_comparisons_to_start(
    begin: Callable[..., Chain], noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    on_split("train", 4)
    chain = begin("iterative-dpo-raters", pool=day_shift.pk, guideline=guideline.pk, n_taught=2)

    situation = schedules_selectors.situation(schedule=chain.schedule, now=NOW)

    assert (situation.n_new, situation.skips_nothing_new) == (0, False)


def test_the_forms_ask_for_what_these_chains_use(
    signed_in: Callable[..., Client], noor: User, base_model: TrainedModel
) -> None:
    client = signed_in(noor)

    asking = client.get("/schedules/new/iterative-dpo-raters/").context["form"].fields
    scoring = client.get("/schedules/new/iterative-dpo/").context["form"].fields

    assert str(asking["n_taught"].label) == "Training prompts"
    assert {"n_candidates", "reward_model", "keeps_earlier", "n_prompts"} & set(asking) == set()
    assert {"n_candidates", "reward_model", "n_prompts"} <= set(scoring)
    assert "keeps_earlier" not in scoring
