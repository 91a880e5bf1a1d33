"""The API's responses as frozen dataclasses."""

from preferably_client.rows.labeling import (
    Campaign,
    Comparison,
    Demonstration,
    Guideline,
    Judgment,
    JudgmentEvent,
    Message,
    Pool,
    Progress,
    Prompt,
    RankedResponse,
    Source,
)
from preferably_client.rows.models import (
    Card,
    Model,
    Publication,
    Scorecard,
)
from preferably_client.rows.schedules import (
    Chain,
    Link,
    Schedule,
)
from preferably_client.rows.training import (
    Estimate,
    Log,
    LogLine,
    Pace,
    Point,
    Run,
    Sample,
    Snapshot,
    Suite,
)
from preferably_client.rows.webhooks import (
    Delivery,
    Webhook,
    WebhookSecret,
)

__all__ = [
    "Campaign",
    "Card",
    "Chain",
    "Comparison",
    "Delivery",
    "Demonstration",
    "Estimate",
    "Guideline",
    "Judgment",
    "JudgmentEvent",
    "Link",
    "Log",
    "LogLine",
    "Message",
    "Model",
    "Pace",
    "Point",
    "Pool",
    "Progress",
    "Prompt",
    "Publication",
    "RankedResponse",
    "Run",
    "Sample",
    "Schedule",
    "Scorecard",
    "Snapshot",
    "Source",
    "Suite",
    "Webhook",
    "WebhookSecret",
]
