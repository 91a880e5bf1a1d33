"""Turns of conversations are ordinary comparisons for a snapshot, and so for a reward run."""

import json
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.conversations import turns
from labeling.kinds.conversation import TalkSettings
from labeling.models import Guideline, Pool, Prompt, Rater
from tests.cast import NOON
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    rated,
    started,
)
from tests.trainer.tiny import build_tiny_model
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs.supervisor import supervise
from training.snapshots import selectors
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters


def test_each_turn_is_a_row_with_the_history_as_its_prompt(
    day_shift: Pool, guideline: Guideline, rosa: Rater, noor: User, settings: LazySettings
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    conversation = started(campaign=campaign, rater=rosa)
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="And 1 plus 1?", now=NOON)
    rated(answered(conversation))

    snapshot = snapshots_services.create_snapshot(
        kind="comparisons",
        name="talk",
        filters=Filters(campaigns=(campaign.pk,)),
        by=noor,
        now=NOON,
    )

    folder = Path(settings.SNAPSHOTS_DIR) / snapshot.folder
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    assert sorted(len(row["prompt"]) for row in rows) == [1, 3]
    assert selectors.campaign_choices(kind="comparisons", now=NOON) == [(campaign.pk, "Talk (2)")]


@pytest.mark.slow
@pytest.mark.usefixtures("warm_trainer")
@pytest.mark.django_db(transaction=True)
def test_a_reward_run_trains_on_turns_as_on_any_comparison(
    day_shift: Pool, guideline: Guideline, rosa: Rater, noor: User, tmp_path: Path
) -> None:
    """By the real trainer, with a tiny model."""
    campaign = open_conversation_campaign(
        pool=day_shift, guideline=guideline, n_items=8, settings=TalkSettings(min_turns=1)
    )
    for number, item in enumerate(campaign.items.select_related("prompt")):
        Prompt.objects.filter(pk=item.prompt_id).update(
            split="validation" if number % 2 else "train"
        )
    for _item in range(8):
        conversation = started(campaign=campaign, rater=rosa)
        rated(answered(conversation))
        turns.write(conversation=conversation, number=2, text="And then?", now=NOON)
        rated(answered(conversation))
        turns.finish(conversation=conversation, now=NOON)
    snapshot = snapshots_services.create_snapshot(
        kind="comparisons",
        name="talk",
        filters=Filters(campaigns=(campaign.pk,)),
        by=noor,
        now=NOON,
    )
    model = registry_services.register_model(
        name="tiny",
        kind="policy",
        location=str(build_tiny_model(tmp_path / "tiny")),
        licence="",
        by=noor,
        now=NOON,
    )

    run = run_queue.queue_run(
        kind="reward",
        name="On turns",
        config={"n_epochs": 1, "max_tokens": 64, "batch_size": 4, "accumulation": 1},
        snapshot=snapshot,
        base_model=model,
        by=noor,
        now=NOON,
    )
    supervise.supervise(run_id=run.pk, node="node-1")

    run.refresh_from_db()
    assert (run.outcome, run.error) == ("succeeded", "")
    assert (run.metrics["n_train_pairs"], run.metrics["n_held_out_pairs"]) == (8, 8)
