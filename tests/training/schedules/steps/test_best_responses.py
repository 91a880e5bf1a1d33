"""Rejection sampling: scored responses, the snapshot of the best, and links in both directions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.data.intake import NewResponse
from labeling.models import Prompt, Rater, ResponseScore
from tests.training.conftest import NOW
from tests.training.snapshots.test_freezing import compare, on_split, rows
from training.models import Run, Snapshot, TrainedModel
from training.registry import services as registry_services
from training.registry.archive import cards
from training.registry.lineage import drawing, withdrawals
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.supervisor import supervise
from training.snapshots import response_numbers
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters, UnableToCreate

pytestmark = pytest.mark.django_db


@pytest.fixture
def judge(noor: User) -> TrainedModel:
    return registry_services.register_model(
        name="judge",
        kind="reward",
        location="/models/judge",
        licence="",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )


@pytest.fixture
def sampled(
    noor: User,
    base_model: TrainedModel,
    judge: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
) -> Callable[..., Run]:
    """A sampling run that has ended. `written`: (prompt, text, score, is_ended) in the order of
    their numbers.
    """

    def make(
        *written: tuple[Prompt, str, float, bool],
        reward_model: TrainedModel | None = judge,
        name: str = "sampled",
    ) -> Run:
        run = run_queue.queue_run(
            kind="sample",
            name=name,
            config={},
            snapshot=make_snapshot("prompts"),
            base_model=base_model,
            models={"reward_model": reward_model},
            by=noor,
            now=NOW,
        )
        runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
        numbered = [
            (response_numbers.response_number(run_id=run.pk, number=n), *one)
            for n, one in enumerate(written)
        ]
        registry_services.store_responses(
            run_id=run.pk,
            attempt=1,
            rows=[
                NewResponse(prompt.pk, text, number, {}, is_ended)
                for number, prompt, text, _score, is_ended in numbered
            ],
            scores={
                (prompt.pk, number): score for number, prompt, _text, score, _is_ended in numbered
            },
            now=NOW,
        )
        runs_services.finish_run(
            run_id=run.pk,
            attempt=1,
            result=runs_services.AttemptResult(Run.Outcome.SUCCEEDED),
            now=NOW,
        )
        run.refresh_from_db()
        return run

    return make


@pytest.fixture
def cut(noor: User) -> Callable[..., Snapshot]:
    def make(*runs: Run, **filters: Any) -> Snapshot:
        wanted = Filters(best_of=tuple(run.pk for run in runs), **filters)
        return snapshots_services.create_snapshot(
            kind="demonstrations", name="the best", filters=wanted, by=noor, now=NOW
        )

    return make


def chosen(snapshot: Snapshot, settings: LazySettings, split: str = "train") -> list[str]:
    return [row["completion"][0]["content"] for row in rows(snapshot, settings, split)]


# --- which are the best ---------------------------------------------------------------------------


def test_of_each_prompt_the_response_with_the_highest_score_is_a_row_of_its_split(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    (one, other), (held_out,) = on_split("train", 2), on_split("validation")
    run = sampled(
        (one, "worse", -2.0, True),
        (one, "better", -1.0, True),
        (other, "better", 3.0, True),
        (other, "worse", 2.0, True),
        (held_out, "kept apart", 9.0, True),
    )

    snapshot = cut(run)

    assert chosen(snapshot, settings) == ["better", "better"]
    assert chosen(snapshot, settings, "validation") == ["kept apart"]
    assert [row["score"] for row in rows(snapshot, settings)] == [-1.0, 3.0]
    assert snapshot.card["best_of"] == [{"run": run.pk, "model": "base", "reward_model": "judge"}]


def test_a_response_that_was_cut_off_is_taken_only_where_none_ended(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    one, other = on_split("train", 2)
    run = sampled(
        (one, "cut off, liked mo", 5.0, False),
        (one, "ended", 1.0, True),
        (other, "cut o", 1.0, False),
    )

    found = rows(cut(run), settings)

    assert [(row["completion"][0]["content"], row["is_ended"]) for row in found] == [
        ("ended", True),
        ("cut o", False),
    ]


def test_each_run_has_its_own_best_and_other_judges_scores_count_for_nothing(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot], noor: User, settings: LazySettings
) -> None:
    (prompt,) = on_split("train")
    strict = registry_services.register_model(
        name="strict",
        kind="reward",
        location="/models/strict",
        licence="",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )
    first = sampled((prompt, "a", 5.0, True), (prompt, "b", 1.0, True))
    second = sampled((prompt, "c", -9.0, True), (prompt, "d", -8.0, True), reward_model=strict)
    assert strict.source is not None
    ResponseScore.objects.create(
        scorer_id=strict.source.pk, response=ResponseScore.objects.get(score=1.0).response, score=99
    )

    assert chosen(cut(first, second), settings) == ["a", "d"]
    assert chosen(cut(second), settings) == ["d"]


def test_empty_responses_retired_prompts_and_other_categories_are_left_out(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    empty, retired, other, kept = on_split("train", 4)
    run = sampled(
        (empty, " \n", 5.0, True),
        (retired, "old", 1.0, True),
        (other, "chat", 1.0, True),
        (kept, "good", 1.0, True),
    )
    Prompt.objects.filter(pk=retired.pk).update(retired_at=NOW)
    Prompt.objects.filter(pk=other.pk).update(category="chat")

    snapshot = cut(run, categories=(kept.category,))

    assert chosen(snapshot, settings) == ["good"]
    assert snapshot.card["left_out"] == {"empty response": 1, "other category": 1}


def test_a_run_that_no_reward_model_judged_is_refused(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot]
) -> None:
    unjudged = sampled((on_split("train")[0], "a", 0.0, True), reward_model=None)

    with pytest.raises(UnableToCreate, match="no responses scored by a reward model"):
        cut(unjudged)
    with pytest.raises(UnableToCreate, match="has no responses to learn from"):
        cut(sampled())
    assert not ResponseScore.objects.exists()


def test_the_same_scores_give_the_same_fingerprint(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot]
) -> None:
    run = sampled(*((prompt, f"to {prompt.pk}", 1.0, True) for prompt in on_split("train", 3)))

    assert cut(run).fingerprint == cut(run).fingerprint


def test_the_supervisor_hands_on_each_score(queue: Callable[..., Run], judge: TrainedModel) -> None:
    (prompt,) = on_split("train")
    written = [
        {
            "prompt_id": prompt.pk,
            "text": f"answer {n}",
            "number": n,
            "is_ended": True,
            "sampling": {},
            "score": n / 2,
        }
        for n in range(3)
    ]
    run = queue("sample", responses=written)
    TrainedModel.objects.filter(pk=judge.pk).update(location=run.base_model.location)
    Run.objects.filter(pk=run.pk).update(reward_model=judge)

    supervise.supervise(run_id=run.pk, node="node-1")

    run.refresh_from_db()
    assert (run.outcome, run.error) == ("succeeded", "")
    assert dict(ResponseScore.objects.values_list("response__text", "score")) == {
        f"answer {n}": n / 2 for n in range(3)
    }


# --- found again from either end ------------------------------------------------------------------


@pytest.fixture
def tuned(
    sampled: Callable[..., Run], cut: Callable[..., Snapshot], noor: User, base_model: TrainedModel
) -> TrainedModel:
    """A model that learned from the best of “candidates”."""
    run = sampled((on_split("train")[0], "a", 1.0, True), name="candidates")
    sft = run_queue.queue_run(
        kind="sft",
        name="on the best",
        config={},
        snapshot=cut(run),
        base_model=base_model,
        by=noor,
        now=NOW,
    )
    runs_services.claim_run(run_id=sft.pk, node="gpu-1", now=NOW)
    runs_services.finish_run(
        run_id=sft.pk,
        attempt=1,
        result=runs_services.AttemptResult(Run.Outcome.SUCCEEDED, model="/models/best"),
        now=NOW,
    )
    return TrainedModel.objects.get(run=sft)


def test_a_models_lineage_names_the_run_and_the_reward_model_behind_its_best_responses(
    tuned: TrainedModel,
) -> None:
    origin = drawing.draw(model=tuned, is_admin=False).before[-1][0]
    card, lineage = cards.generated_card(model=tuned), cards.lineage_json(model=tuned)

    assert (origin.title, [(node.label, node.detail) for node in origin.nodes]) == (
        "Best responses",
        [("candidates", "by base"), ("judge", "selected them")],
    )
    assert "the best responses of base in “candidates”, selected by judge" in card
    assert lineage["steps"][0]["snapshot"]["best_of"][0]["reward_model"] == "judge"


@pytest.mark.parametrize("of", ["base", "judge"])
def test_what_came_of_the_writer_and_of_the_judge_includes_the_model_that_learned_from_the_best(
    tuned: TrainedModel, of: str
) -> None:
    model = TrainedModel.objects.get(name=of)

    found = {
        place.title: [node.label for node in place.nodes]
        for place in drawing.draw(model=model, is_admin=False).after
    }

    assert (found["Sampling"], found["Data"], found["Models"]) == (
        ["candidates"],
        ["the best"],
        [tuned.name],
    )


def test_a_withdrawal_finds_what_learned_from_responses_that_a_touched_reward_model_chose(
    sampled: Callable[..., Run],
    cut: Callable[..., Snapshot],
    noor: User,
    base_model: TrainedModel,
    judge: TrainedModel,
    rosa: Rater,
) -> None:
    (prompt,) = on_split("train")
    compare(prompt, rosa, [1, 2])
    pairs = snapshots_services.create_snapshot(
        kind="comparisons", name="pairs", filters=Filters(), by=noor, now=NOW
    )
    learned = Run.objects.create(
        kind="reward",
        name="judging",
        snapshot=pairs,
        base_model=base_model,
        state="finished",
        outcome="succeeded",
    )
    TrainedModel.objects.filter(pk=judge.pk).update(run=learned)
    candidates = sampled((prompt, "a", 1.0, True))
    tuning = Run.objects.create(
        kind="sft", name="tuning", snapshot=cut(candidates), base_model=base_model
    )
    tuned = TrainedModel.objects.create(
        name="tuned", kind="policy", location="/t", run=tuning, parent=base_model
    )

    touched = withdrawals.touched_by(rater=rosa)

    assert touched.runs == [tuning, candidates, learned]
    assert touched.models == [tuned, judge]


# --- by hand --------------------------------------------------------------------------------------


def test_a_researcher_goes_from_the_run_to_the_snapshot_of_its_best(
    sampled: Callable[..., Run], noor: User, signed_in: Callable[..., Client]
) -> None:
    run = sampled((on_split("train")[0], "a", 1.0, True), name="candidates")
    client = signed_in(noor)

    address = f"/snapshots/new/?kind=demonstrations&amp;best_of={run.pk}"
    page = client.get(f"/runs/{run.pk}/").content.decode()
    form = client.get(address.replace("&amp;", "&")).context["form"]
    client.post("/snapshots/new/?kind=demonstrations", {"name": "The best", "best_of": [run.pk]})

    snapshot = Snapshot.objects.get(name="The best")
    told = client.get(f"/snapshots/{snapshot.pk}/").content.decode()
    assert address in page
    assert form["best_of"].value() == [str(run.pk)]
    assert ("candidates (judge)" in told, "Imported answers" in told) == (True, False)


def test_an_unjudged_run_offers_no_best(
    sampled: Callable[..., Run], noor: User, signed_in: Callable[..., Client]
) -> None:
    run = sampled((on_split("train")[0], "a", 1.0, True), reward_model=None)
    client = signed_in(noor)

    assert "best_of" not in client.get(f"/runs/{run.pk}/").content.decode()
    assert "best_of" not in client.get("/snapshots/new/?kind=demonstrations").content.decode()
