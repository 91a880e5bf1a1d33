"""Tables and constraints of the labeling half, one module a noun. No behaviour lives here: see services and selectors."""

from labeling.models.campaigns import (
    Campaign,
    Guideline,
    GuidelineReading,
    GuidelineVersion,
    Item,
    ItemResponse,
    Pass,
    PastLease,
    QueuePlace,
    Slot,
)
from labeling.models.judgments import Comparison, Demonstration, Draft, ItemQuestion, Judgment, RankedResponse
from labeling.models.pools import Pool, PoolMembership, Rater
from labeling.models.prompts import Import, Prompt, PromptKey, Response, Source
from labeling.models.quality import QualityReport, RaterQuality

__all__ = [
    "Campaign",
    "Comparison",
    "Demonstration",
    "Draft",
    "Guideline",
    "GuidelineReading",
    "GuidelineVersion",
    "Import",
    "Item",
    "ItemQuestion",
    "ItemResponse",
    "Judgment",
    "Pass",
    "PastLease",
    "Pool",
    "PoolMembership",
    "Prompt",
    "PromptKey",
    "QualityReport",
    "QueuePlace",
    "RankedResponse",
    "Rater",
    "RaterQuality",
    "Response",
    "Slot",
    "Source",
]
