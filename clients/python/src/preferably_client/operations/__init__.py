"""One method per operation of the schema, with the operation's name."""

from preferably_client.operations.labeling import (
    CampaignOperations,
    GuidelineOperations,
    JudgmentOperations,
    PoolOperations,
    PromptOperations,
)
from preferably_client.operations.models import ModelOperations
from preferably_client.operations.schedules import ChainOperations, ScheduleOperations
from preferably_client.operations.training import RunOperations, SnapshotOperations, SuiteOperations
from preferably_client.operations.webhooks import WebhookOperations


class Operations(
    PromptOperations,
    PoolOperations,
    GuidelineOperations,
    CampaignOperations,
    JudgmentOperations,
    SnapshotOperations,
    SuiteOperations,
    RunOperations,
    ScheduleOperations,
    ChainOperations,
    ModelOperations,
    WebhookOperations,
):
    """All of them."""
