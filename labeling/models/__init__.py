"""Tables and constraints of labeling, one module per topic. They contain no behaviour: see services
and selectors.
"""

from labeling.models.campaigns import Campaign, Item, ItemResponse
from labeling.models.cases import Case
from labeling.models.conversations import (
    Attack,
    AttackBrief,
    Conversation,
    ConversationPlan,
    ConversationSource,
    ConversationTurn,
    RedTeaming,
    TurnRequest,
)
from labeling.models.crowd import (
    CrowdLink,
    CrowdVisit,
    ProlificBonus,
    ProlificBonusBatch,
    ProlificStudy,
    ProlificSubmission,
)
from labeling.models.gold import Gold, GoldAnswer, GoldItem, GoldRank, RaterStanding
from labeling.models.guidelines import Guideline, GuidelineReading, GuidelineVersion
from labeling.models.judgments import (
    Comparison,
    Demonstration,
    Draft,
    Export,
    ItemQuestion,
    Judgment,
    RankedResponse,
)
from labeling.models.onboarding import (
    AttemptScore,
    OnboardingStep,
    ProfileAnswer,
    StepAttempt,
    StepVersion,
)
from labeling.models.pay import PayDispute, Payment, Rate
from labeling.models.pools import Invitation, Pool, PoolMembership, Rater, RaterSkill
from labeling.models.prompts import HubDownload, Import, Prompt, PromptKey, Response, Source
from labeling.models.quality import QualityReport, RaterQuality, ResponseScore, Scorer, VoteBlock
from labeling.models.review import (
    AdjudicatedRank,
    Adjudication,
    JudgmentEvent,
    JudgmentReview,
    ReviewRequest,
    SetAside,
)
from labeling.models.slots import Pass, PastLease, QueuePlace, Slot

__all__ = [
    "AdjudicatedRank",
    "Adjudication",
    "Attack",
    "AttackBrief",
    "AttemptScore",
    "Campaign",
    "Case",
    "Comparison",
    "Conversation",
    "ConversationPlan",
    "ConversationSource",
    "ConversationTurn",
    "CrowdLink",
    "CrowdVisit",
    "Demonstration",
    "Draft",
    "Export",
    "Gold",
    "GoldAnswer",
    "GoldItem",
    "GoldRank",
    "Guideline",
    "GuidelineReading",
    "GuidelineVersion",
    "HubDownload",
    "Import",
    "Invitation",
    "Item",
    "ItemQuestion",
    "ItemResponse",
    "Judgment",
    "JudgmentEvent",
    "JudgmentReview",
    "OnboardingStep",
    "Pass",
    "PastLease",
    "PayDispute",
    "Payment",
    "Pool",
    "PoolMembership",
    "ProfileAnswer",
    "ProlificBonus",
    "ProlificBonusBatch",
    "ProlificStudy",
    "ProlificSubmission",
    "Prompt",
    "PromptKey",
    "QualityReport",
    "QueuePlace",
    "RankedResponse",
    "Rate",
    "Rater",
    "RaterQuality",
    "RaterSkill",
    "RaterStanding",
    "RedTeaming",
    "Response",
    "ResponseScore",
    "ReviewRequest",
    "Scorer",
    "SetAside",
    "Slot",
    "Source",
    "StepAttempt",
    "StepVersion",
    "TurnRequest",
    "VoteBlock",
]
