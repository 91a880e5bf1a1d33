"""A typed client of Preferably's REST API."""

from preferably_client.client import Preferably, Problem
from preferably_client.rows import (
    Campaign,
    Comparison,
    Demonstration,
    Guideline,
    Judgment,
    Message,
    Model,
    Point,
    Pool,
    Progress,
    Prompt,
    RankedResponse,
    Run,
    Schedule,
    Snapshot,
    Source,
)

__all__ = [
    "Campaign",
    "Comparison",
    "Demonstration",
    "Guideline",
    "Judgment",
    "Message",
    "Model",
    "Point",
    "Pool",
    "Preferably",
    "Problem",
    "Progress",
    "Prompt",
    "RankedResponse",
    "Run",
    "Schedule",
    "Snapshot",
    "Source",
]
