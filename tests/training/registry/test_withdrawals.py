"""What a rater's judgments were used for, and snapshots weighted by reliability."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.models import (
    Campaign,
    Demonstration,
    Judgment,
    Prompt,
    QualityReport,
    Rater,
    RaterQuality,
)
from labeling.people.withdrawals import withdrawal
from labeling.queue.claiming import claim
from tests.cast import NOON, some_prompts
from training.models import Run, Snapshot, TrainedModel
from training.registry.archive import cards
from training.registry.lineage import withdrawals
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db


def judge_all(campaign: Campaign, rater: Rater) -> None:
    while (slot := claim.claim(campaign=campaign, rater=rater, now=NOON)) is not None:
        assert slot.lease is not None
        ranks: dict[int, int | None] = {place: place + 1 for place in range(4)}
        ratings = {place: {"overall": 4} for place in range(4)}
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
            now=NOON,
        )


@pytest.fixture
def cut(noor: User) -> Callable[..., Snapshot]:
    def make(**filters: Any) -> Snapshot:
        return snapshots_services.create_snapshot(
            kind="comparisons", name="a snapshot", filters=Filters(**filters), by=noor, now=NOON
        )

    return make


@pytest.fixture
def weighed(comparison_campaign: Campaign, rosa: Rater, raul: Rater, rita: Rater) -> Campaign:
    """Rosa is reliable, Raul no better than chance, and of Rita nothing is known."""
    for rater in (rosa, raul, rita):
        judge_all(comparison_campaign, rater)
    report = QualityReport.objects.create(
        campaign=comparison_campaign, computed_at=NOON, through_id=1, n_judgments=15
    )
    for rater, weight in ((rosa, 0.81234567), (raul, 0.0), (rita, None)):
        RaterQuality.objects.create(report=report, rater=rater, n_judgments=5, weight=weight)
    return comparison_campaign


def rows(snapshot: Snapshot, settings: LazySettings) -> list[dict[str, Any]]:
    folder = Path(settings.SNAPSHOTS_DIR) / snapshot.folder
    lines = [
        line for file in sorted(folder.glob("t*.jsonl")) for line in file.read_text().splitlines()
    ]
    return [json.loads(line) for line in lines]


def test_each_judgment_weighs_as_much_as_its_rater_is_reliable(
    weighed: Campaign,
    rosa: Rater,
    rita: Rater,
    cut: Callable[..., Snapshot],
    settings: LazySettings,
) -> None:
    found = {row["rater"]: row["weight"] for row in rows(cut(weighs_by_reliability=True), settings)}

    assert found == {rosa.alias: 0.8123, rita.alias: 1.0}


def test_without_the_wish_every_judgment_weighs_one(
    weighed: Campaign, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    assert {row["weight"] for row in rows(cut(), settings)} == {1.0}


def test_the_card_records_the_weights_and_who_was_left_out(
    weighed: Campaign, rosa: Rater, rita: Rater, cut: Callable[..., Snapshot]
) -> None:
    card = cut(weighs_by_reliability=True).card

    assert card["weights"]["raters"] == {
        rosa.alias: {"weight": 0.8123, "judgments": 5},
        rita.alias: {"weight": 1.0, "judgments": 5},
    }
    assert card["left_out"] == {"rater no more reliable than chance": 5}


def test_the_form_for_comparisons_offers_to_weigh(
    weighed: Campaign, noor: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(noor)

    client.post(
        "/snapshots/new/?kind=comparisons", {"name": "By weight", "weighs_by_reliability": "on"}
    )

    page = client.get(f"/snapshots/{Snapshot.objects.get().pk}/").content.decode()
    assert "by rater reliability" in page
    assert "0.81" in page


def test_a_demonstration_snapshot_is_not_asked_about_weights(
    noor: User, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(noor).get("/snapshots/new/?kind=demonstrations").content.decode()

    assert "Weight by reliability" not in page


def test_a_withdrawn_rater_is_in_no_later_snapshot(
    weighed: Campaign,
    rosa: Rater,
    alice: User,
    cut: Callable[..., Snapshot],
    settings: LazySettings,
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert rosa.alias not in {row["rater"] for row in rows(cut(), settings)}


def a_run(
    snapshot: Snapshot, base: TrainedModel, by: User, kind: str = "reward", **fields: Any
) -> Run:
    return Run.objects.create(
        kind=kind,
        name=f"run {Run.objects.count()}",
        snapshot=snapshot,
        base_model=base,
        created_by=by,
        **fields,
    )


def test_a_withdrawal_lists_snapshots_runs_and_models_down_to_the_last_descendant(
    weighed: Campaign, rosa: Rater, noor: User, cut: Callable[..., Snapshot]
) -> None:
    snapshot = cut()
    base = TrainedModel.objects.create(name="base", kind="policy", location="/models/base")
    reward_run = a_run(snapshot, base, noor)
    reward = TrainedModel.objects.create(
        name="reward", kind="reward", location="r", run=reward_run, parent=base
    )
    prompts = Snapshot.objects.create(
        name="prompts", kind="prompts", folder="p", n_rows=1, fingerprint="0" * 64
    )
    ppo_run = a_run(prompts, base, noor, kind="ppo", reward_model=reward)
    policy = TrainedModel.objects.create(
        name="policy", kind="policy", location="p", run=ppo_run, parent=base
    )
    sample_run = a_run(prompts, policy, noor, kind="sample")
    a_run(prompts, base, noor, kind="sample")

    touched = withdrawals.touched_by(rater=rosa)

    assert [(entry.snapshot, entry.n_judgments) for entry in touched.snapshots] == [(snapshot, 5)]
    assert touched.runs == [sample_run, ppo_run, reward_run]
    assert touched.models == [policy, reward]


def test_a_withdrawal_lists_the_comparisons_that_hold_a_demonstration_of_the_rater(
    weighed: Campaign, noor: User, cut: Callable[..., Snapshot]
) -> None:
    writer = Rater.everyone.create(alias="Rater W")
    prompt = some_prompts(1, source_name="written about")[0]
    Prompt.objects.filter(pk=prompt.pk).update(split="train")
    written = Judgment.of_people.create(
        kind="demonstration", rater=writer, prompt=prompt, submitted_at=NOON
    )
    Demonstration.objects.create(judgment=written, text="An answer.")
    snapshot = cut()
    base = TrainedModel.objects.create(name="base", kind="policy", location="/models/base")
    run = a_run(snapshot, base, noor)
    reward = TrainedModel.objects.create(
        name="reward", kind="reward", location="r", run=run, parent=base
    )

    touched = withdrawals.touched_by(rater=writer)

    assert [(entry.snapshot, entry.n_judgments) for entry in touched.snapshots] == [(snapshot, 1)]
    assert (touched.runs, touched.models) == ([run], [reward])
    assert "1 demonstration beside them" in cards.generated_card(model=reward)
    assert cards.lineage_json(model=reward)["steps"][0]["snapshot"]["demonstrations"] == 1


def test_a_rater_in_no_snapshot_touches_nothing(comparison_campaign: Campaign, rosa: Rater) -> None:
    touched = withdrawals.touched_by(rater=rosa)

    assert (touched.snapshots, touched.runs, touched.models) == ([], [], [])


def test_a_cut_snapshot_is_named_on_the_withdrawals_page(
    weighed: Campaign,
    rosa: Rater,
    noor: User,
    cut: Callable[..., Snapshot],
    signed_in: Callable[..., Client],
) -> None:
    cut()

    page = signed_in(noor).get(f"/raters/{rosa.pk}/withdrawal/").content.decode()

    assert "a snapshot" in page
    assert "5 answers" in page
