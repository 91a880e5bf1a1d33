"""Turns of conversations are ordinary comparisons for a snapshot, and so for a reward run."""

import json
from pathlib import Path

from django.conf import LazySettings

from accounts.models import User
from labeling.conversations import turns
from labeling.models import Guideline, Pool, Rater
from tests.cast import NOON
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    rated,
    started,
)
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
    assert selectors.campaign_choices(kind="comparisons") == [(campaign.pk, "Talk (2)")]
