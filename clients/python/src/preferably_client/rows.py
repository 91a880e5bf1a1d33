"""The API's responses as frozen dataclasses.

Made from the site's schema by `make client`; do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "Agreement",
    "AnswerScore",
    "Appeal",
    "Attack",
    "AttackGroup",
    "Attacks",
    "AttemptState",
    "AuditEvent",
    "BasisEnum",
    "BenchmarkAnswer",
    "Bias",
    "Campaign",
    "CampaignItem",
    "CampaignKind",
    "CampaignLineage",
    "CampaignSettings",
    "CampaignStanding",
    "CampaignState",
    "Card",
    "Case",
    "Chain",
    "ChainStateEnum",
    "ComparedSource",
    "Comparison",
    "Computing",
    "Conversation",
    "ConversationStateEnum",
    "CrowdLink",
    "Curation",
    "CurationStateEnum",
    "Decision",
    "DecisionEnum",
    "Delivery",
    "DeliveryStateEnum",
    "Demonstration",
    "Dispute",
    "DrawsEnum",
    "Effect",
    "Estimate",
    "EventEnum",
    "EventsEnum",
    "Export",
    "ExportFormat",
    "ExportOptions",
    "ExportState",
    "Figure",
    "Flag",
    "Freed",
    "Gold",
    "GoldCount",
    "GoldRank",
    "Group",
    "Guideline",
    "GuidelineExample",
    "GuidelineUse",
    "GuidelineVersion",
    "Holding",
    "HubImport",
    "Import",
    "ImportAgreement",
    "ImportFormat",
    "ImportProblem",
    "ImportState",
    "Invitation",
    "InvitationState",
    "ItemConsensus",
    "ItemQuestion",
    "Judgment",
    "JudgmentEvent",
    "JudgmentKindEnum",
    "JudgmentState",
    "LedgerEntry",
    "LedgerEntryOutcomeEnum",
    "Line",
    "Lineage",
    "LineageStep",
    "Link",
    "LinkStateEnum",
    "LoadedSuites",
    "Log",
    "LogLine",
    "MadeGold",
    "Matching",
    "MeasuredRule",
    "Message",
    "MethodEnum",
    "Model",
    "ModelKind",
    "ModelResponse",
    "ModelStage",
    "Named",
    "NamedModel",
    "NewCurationKindEnum",
    "NewExportShapeEnum",
    "NewSnapshotKindEnum",
    "NewSuiteShapeEnum",
    "Node",
    "OnboardingStep",
    "OnboardingStepKind",
    "OpeningEnum",
    "OrderEnum",
    "OriginEnum",
    "OtherPool",
    "Pace",
    "Pair",
    "Payment",
    "Person",
    "Place",
    "Plan",
    "Point",
    "Pool",
    "PoolMember",
    "PoolRate",
    "PoolRateKind",
    "PresetEnum",
    "Preview",
    "PreviewReply",
    "PreviewRow",
    "Progress",
    "ProlificBonus",
    "ProlificBonusLine",
    "ProlificBonusStateEnum",
    "ProlificCost",
    "ProlificStudy",
    "ProlificSubmission",
    "Prompt",
    "PromptCategory",
    "PromptLineage",
    "PromptResponse",
    "PromptSplit",
    "Publication",
    "PublicationState",
    "QualityRow",
    "Question",
    "QueueEnum",
    "QueuedRun",
    "RankedResponse",
    "RateOfRule",
    "Rater",
    "RaterPair",
    "RaterPool",
    "RaterQuality",
    "RaterSkills",
    "RatingCondition",
    "RatingConsensus",
    "RatingQuestion",
    "RatingQuestionKindEnum",
    "ReasonEnum",
    "RecipeEnum",
    "RedTeaming",
    "RedTeamingSuccess",
    "RejectionCategoryEnum",
    "Report",
    "Response",
    "RestoredDocument",
    "Review",
    "ReviewItem",
    "ReviewResponse",
    "ReviewRow",
    "ReviewedAnswer",
    "RoleEnum",
    "RolesEnum",
    "RowFormat",
    "Run",
    "RunKind",
    "RunState",
    "Sample",
    "Sampled",
    "Schedule",
    "Score",
    "Scorecard",
    "ScoredModel",
    "ScorerEnum",
    "SensitiveEnum",
    "SentInvitation",
    "SentInvitations",
    "SentToRaters",
    "SettleOutcomeEnum",
    "Share",
    "Skills",
    "Skip",
    "Snapshot",
    "SnapshotKind",
    "Source",
    "StatusEnum",
    "StepAttempt",
    "StepEnum",
    "StepQuestion",
    "StepVersion",
    "StoredBrief",
    "StoredResponses",
    "StrategyEnum",
    "StyleEnum",
    "Success",
    "Suite",
    "SuiteArea",
    "SuiteItem",
    "SuiteKind",
    "SuiteScore",
    "TagsEnum",
    "TemplateEnum",
    "Timesheet",
    "TimesheetLine",
    "TimesheetLineStateEnum",
    "Touched",
    "TriggerEnum",
    "Turn",
    "TurnAnswer",
    "TurnFailure",
    "TurnStateEnum",
    "UseInSnapshot",
    "VerdictEnum",
    "Verified",
    "Waiting",
    "Webhook",
    "WebhookSecret",
    "WhatEnum",
    "Withdrawal",
]


AttemptState = Literal["waiting", "passed", "below", "refused"]

BasisEnum = Literal["hour", "item"]

CampaignKind = Literal["demonstration", "comparison", "conversation"]

CampaignState = Literal["draft", "open", "paused", "closed"]

ChainStateEnum = Literal["going", "approval", "failed", "stopped", "finished"]

ConversationStateEnum = Literal["open", "finished"]

CurationStateEnum = Literal["queued", "running", "ready", "done", "failed", "discarded"]

DecisionEnum = Literal["pass", "again", "refuse"]

DeliveryStateEnum = Literal["waiting", "delivered", "given_up"]

DrawsEnum = Literal["conversation", "turn"]

EventEnum = Literal["withdrawn", "set_aside", "restored"]

EventsEnum = Literal[
    "run.queued",
    "run.started",
    "run.finished",
    "campaign.changed",
    "judgment.given",
    "judgment.withdrawn",
    "judgment.set_aside",
    "judgment.restored",
]

ExportFormat = Literal["jsonl", "parquet", "json"]

ExportState = Literal["queued", "running", "done", "failed"]

ImportFormat = Literal[
    "jsonl",
    "csv",
    "plain",
    "openassistant",
    "oasst_flat",
    "hh",
    "hf",
    "sharegpt",
    "alpaca",
    "ultrafeedback",
    "helpsteer",
    "arena",
    "turns",
    "argilla",
    "argilla_flat",
    "label_studio",
    "rankings",
    "written",
    "annotations",
]

ImportState = Literal["queued", "running", "published", "refused", "discarded"]

InvitationState = Literal["waits", "accepted", "expired", "revoked"]

JudgmentKindEnum = Literal["demonstration", "comparison"]

LedgerEntryOutcomeEnum = Literal["removed", "changed"]

LinkStateEnum = Literal["waiting", "approval", "working", "done", "failed"]

MethodEnum = Literal["labels", "rates", "uncorrected", "counted"]

ModelKind = Literal["policy", "reward"]

ModelStage = Literal["candidate", "approved", "retired"]

NewCurationKindEnum = Literal["text", "prompts", "demonstrations", "comparisons"]

NewExportShapeEnum = Literal[
    "prompts",
    "demonstrations",
    "dialogues",
    "preferences",
    "implicit",
    "unpaired",
    "stepwise",
    "rankings",
    "adjudicated",
    "consensus",
    "rating_consensus",
    "label_studio",
    "label_studio_texts",
    "argilla",
    "argilla_texts",
]

NewSnapshotKindEnum = Literal["demonstrations", "comparisons", "prompts"]

NewSuiteShapeEnum = Literal[
    "suite",
    "xstest",
    "simple-safety-tests",
    "llmbar",
    "rewardbench-2",
    "rewardbench",
    "mt-bench",
    "truthfulqa",
    "truthfulqa-mc",
    "do-not-answer",
    "pyrit-objectives",
    "goals",
]

OnboardingStepKind = Literal[
    "consent", "profile", "guideline", "flags", "rankings", "demonstrations", "topics"
]

OpeningEnum = Literal["prompt", "free"]

OrderEnum = Literal["finish_first", "spread"]

OriginEnum = Literal["adjudication", "expert", "import"]

PoolRateKind = Literal["demonstration", "comparison", "onboarding"]

PresetEnum = Literal["small", "balanced", "thorough"]

ProlificBonusStateEnum = Literal[
    "ready", "queued", "sending", "sent", "paid", "unconfirmed", "not_found", "refused", "discarded"
]

PromptCategory = Literal[
    "generation",
    "open_qa",
    "brainstorming",
    "chat",
    "rewrite",
    "summarization",
    "classification",
    "closed_qa",
    "extract",
    "other",
]

PromptSplit = Literal["train", "validation", "test"]

PublicationState = Literal["queued", "running", "done", "failed"]

QueueEnum = Literal["repair", "safety", "technical"]

RatingQuestionKindEnum = Literal["flag", "scale"]

ReasonEnum = Literal[
    "rater_error", "guideline_gap", "ambiguous_prompt", "true_disagreement", "none"
]

RecipeEnum = Literal["light", "text", "prompt", "demonstration", "response"]

RejectionCategoryEnum = Literal[
    "FAILED_INSTRUCTIONS",
    "FAILED_CHECK",
    "LOW_EFFORT",
    "MALINGERING",
    "TOO_QUICKLY",
    "TOO_SLOWLY",
    "NO_CODE",
    "BAD_CODE",
    "NO_DATA",
    "UNSUPP_DEVICE",
    "INCOMP_LONGITUDINAL",
    "OTHER",
]

RoleEnum = Literal["system", "user", "assistant"]

RolesEnum = Literal["rater", "admin", "researcher"]

RowFormat = Literal[
    "jsonl",
    "csv",
    "plain",
    "openassistant",
    "oasst_flat",
    "hh",
    "hf",
    "sharegpt",
    "alpaca",
    "ultrafeedback",
    "helpsteer",
    "arena",
    "turns",
    "argilla",
    "argilla_flat",
    "label_studio",
    "rankings",
    "written",
]

RunKind = Literal[
    "sft", "reward", "ppo", "dpo", "rloo", "pretrain", "sample", "evaluate", "benchmark", "attack"
]

RunState = Literal["queued", "running", "finished"]

ScorerEnum = Literal[
    "likelihood",
    "likelihood_by_length",
    "choice_in_text",
    "rule",
    "refusal_strings",
    "refusal",
    "preferred",
    "best_of_k",
    "flip",
    "reward",
    "lm_eval",
]

SensitiveEnum = Literal["violence", "sexual", "self_harm", "hate", "abuse", "other"]

SettleOutcomeEnum = Literal["fixed", "kept"]

SnapshotKind = Literal["demonstrations", "comparisons", "prompts", "text", "suites"]

StatusEnum = Literal["at_work", "paused", "no_pool", "closed", "withdrawn"]

StepEnum = Literal[
    "demonstrations",
    "comparisons",
    "prompts",
    "held_out",
    "pretrain",
    "sft",
    "candidates",
    "best",
    "sft_best",
    "reward",
    "watchdog",
    "ppo",
    "dpo",
    "rloo",
    "evaluate",
    "sample_first",
    "sample",
    "sample_before",
    "suites",
    "benchmark",
    "benchmark_before",
    "campaign_first",
    "campaign",
    "gate",
]

StrategyEnum = Literal["ddp", "fsdp"]

StyleEnum = Literal["conversational", "standard"]

SuiteArea = Literal["capability", "safety", "over-refusal", "honesty", "reward"]

SuiteKind = Literal["choice", "generate", "pairs", "best-of-k", "flip", "lm-eval"]

TagsEnum = Literal[
    "direct",
    "role",
    "purpose",
    "authority",
    "steps",
    "past",
    "examples",
    "format",
    "pressure",
    "rules",
    "other",
]

TemplateEnum = Literal[
    "weekly",
    "llama",
    "rejection",
    "rejection-ppo",
    "rloo",
    "dpo",
    "pretrain",
    "fine-tune-compare",
    "fine-tune",
    "reward",
]

TimesheetLineStateEnum = Literal["paid", "due"]

TriggerEnum = Literal["clock", "data", "accuracy", "hand"]

TurnStateEnum = Literal["waiting", "ready", "rated", "failed", "left"]

VerdictEnum = Literal[
    "better", "worse", "cannot be told apart", "too few", "other scorer", "no common items"
]

WhatEnum = Literal["model", "run", "snapshot"]


@dataclass(frozen=True)
class Agreement:
    """How far raters agree. docs/api.md names the figures."""

    report: Report
    figures: dict[str, Figure]
    questions: list[Question]
    """Of the rating form."""
    groups: list[Group]
    groups_left_out: dict[str, int]
    """Groups with votes that are not listed."""
    pools: list[OtherPool]
    """Agreement with other pools."""
    reward_model: str
    """That `figures.model` compares with."""


@dataclass(frozen=True)
class AnswerScore:
    scorer: str
    value: float
    """0 to 1, higher is better; rewards have no bounds."""
    label: str
    certainty: float | None


@dataclass(frozen=True)
class Appeal:
    """A rater's appeal against a review, or an answer that was set aside."""

    id: int
    judgment: int
    campaign: int | None
    item: int | None
    rater: str
    score: int | None
    feedback: str
    is_set_aside: bool
    appeal: str
    appealed_at: datetime
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True)
class Attack:
    id: int
    """That of its conversation."""
    campaign: int
    brief: int
    rater: str
    success: int
    """How far it got, says the attacker: 0 to 4."""
    severity: int
    """0 to 4."""
    tags: list[TagsEnum]
    tried: str
    likeness: float | None
    """To the attacker's most similar earlier attack, 0 to 1."""
    repeats_wording: bool
    prompt: int
    """The conversation up to the last message."""
    response: int
    """The answer that the attack reached."""
    review_item: int | None
    demonstration_item: int | None
    pair_item: int | None
    ended_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class AttackGroup:
    name: str
    success: Success
    hits: dict[str, float]
    """k → share of goals reached at least once in k attempts, uncorrected."""


@dataclass(frozen=True)
class Attacks:
    overall: AttackGroup
    by_strategy: list[AttackGroup]
    by_area: list[AttackGroup]


@dataclass(frozen=True)
class AuditEvent:
    id: int
    at: datetime
    by: int | None
    """The person. Null: the site itself."""
    action: str
    target_type: str
    """Such as labeling.campaign."""
    target_id: int | None
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class BenchmarkAnswer:
    id: int
    suite: int
    item: int
    key: str
    strategy: str
    """Of an attempt of an attack; otherwise empty."""
    sample: int
    """Number of the attempt with this strategy."""
    asked: list[dict[str, Any]] | None
    """Of an attack: the messages before the answer."""
    text: str
    follow_ups: list[Any]
    """Its answers to later turns."""
    values: dict[str, Any]
    """Log-likelihoods or rewards."""
    missing: str
    """Why there is no answer; otherwise empty."""
    scores: list[AnswerScore]


@dataclass(frozen=True)
class Bias:
    """What choices depend on besides quality."""

    report: Report
    figures: dict[str, Figure]
    swaps: dict[str, Figure]
    """Of repeats in which two responses swapped sides."""
    effects: list[Effect]
    """All features estimated together."""
    effects_n: int
    effects_note: str
    median_s: float | None
    wording: dict[str, Any]
    """Errors towards responses that sound surer."""
    groups: dict[str, Any]
    """Pools and profile groups side by side. Groups too small to show are counted."""


@dataclass(frozen=True)
class Campaign:
    id: int
    name: str
    kind: CampaignKind
    state: CampaignState
    pool: int
    guideline: int
    overlap: int
    """Number of answers per item."""
    n_responses: int | None
    asks_dialogue: bool
    """Raters can continue a demonstration as a dialogue."""
    lease_minutes: int
    order: OrderEnum
    priority: int
    settings: CampaignSettings
    conversation: Plan | None
    """Of a conversation campaign; null for others."""
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    progress: Progress
    last_at: datetime | None
    """When the newest judgment was submitted."""


@dataclass(frozen=True)
class CampaignItem:
    """A prompt of the campaign and how far it is. Gold items are not listed."""

    id: int
    position: int
    prompt: int
    responses: list[int]
    """IDs of the responses to compare."""
    is_calibration: bool
    """Every rater in the pool answers it."""
    repeat_of: int | None
    """The item that this one repeats."""
    held_at: datetime | None
    """Since then, raters do not get it."""
    n_slots: int
    """Number of answers requested."""
    n_submitted: int
    n_in_hand: int
    """In progress: reserved by a rater now."""
    n_skips: int


@dataclass(frozen=True)
class CampaignLineage:
    """A campaign at a glance."""

    id: int
    name: str
    kind: CampaignKind
    n_items: int
    n_judgments: int
    n_raters: int
    guideline_versions: list[GuidelineUse]
    snapshots: list[UseInSnapshot]
    compared: list[ComparedSource]


@dataclass(frozen=True)
class CampaignSettings:
    """The settings of a campaign. What only the other kind of campaign has keeps its
    default.
    """

    asks_strength: bool
    asks_reason: bool
    min_words: int
    max_words: int
    max_overlap: int | None
    confidence: float
    calibration_percent: int
    repeat_percent: int
    budget_unit: str
    budget: str | None
    review_share: int
    gold_share: int
    gold_tolerance: int
    gold_min: int
    gold_warn_below: int
    gold_pause_below: int
    gold_feedback: bool


@dataclass(frozen=True)
class CampaignStanding:
    """A rater's status in one campaign."""

    campaign: int
    rater: int
    warned_at: datetime | None
    paused_at: datetime | None
    """Since then, the rater gets no items of the campaign."""
    resumed_at: datetime | None


@dataclass(frozen=True)
class Card:
    text: str
    """Markdown. Published with the weights as README.md."""
    is_written: bool
    """True if a person wrote it, false if it is generated."""


@dataclass(frozen=True)
class Case:
    id: int
    queue: QueueEnum
    campaign: int
    item: int
    prompt: int
    skips: list[Skip]
    opened_at: datetime
    owner: int | None
    outcome: str
    note: str
    settled_at: datetime | None


@dataclass(frozen=True)
class Chain:
    """One pass through a schedule's plan."""

    id: int
    schedule: int
    number: int
    """The number of the firing that started it."""
    state: ChainStateEnum
    error: str
    """What went wrong, as a sentence."""
    why: str
    """Why it started."""
    base_model: int
    plan: dict[str, Any]
    """The schedule's plan when the chain started."""
    started_at: datetime
    ended_at: datetime | None
    links: list[Link]
    """The steps in order."""


@dataclass(frozen=True)
class ComparedSource:
    source: Named
    model: Named | None


@dataclass(frozen=True)
class Comparison:
    strength: int | None
    """From 1 (negligible) to 4 (significant). Null if not asked."""
    reason: str | None
    is_all_bad: bool
    responses: list[RankedResponse]


@dataclass(frozen=True)
class Computing:
    campaign: int
    computed_at: datetime | None
    """When the present report was computed."""


@dataclass(frozen=True)
class Conversation:
    """A rater's conversation with models, under the rater's pseudonym."""

    id: int
    campaign: int
    prompt: int
    """The opening prompt, or the topic."""
    rater: str
    state: ConversationStateEnum
    n_turns: int
    """Turns that have been rated."""
    goal_rating: int | None
    """How well the goal was reached, from 1 to 7. Null if not answered."""
    ratings: dict[str, Any]
    """Answers to the guideline's questions about the whole conversation."""
    remark: str
    started_at: datetime
    finished_at: datetime | None
    turns: list[Turn]


@dataclass(frozen=True)
class CrowdLink:
    id: int
    campaign: int
    name: str
    url: str
    """Give it to the platform, which adds the worker's ID at the end."""
    id_parameter: str
    completion_code: str
    return_url: str
    n_items: int
    n_places: int
    max_minutes: int
    is_open: bool
    n_working: int
    """Visits in progress."""
    n_complete: int
    """Completed visits."""
    n_ended: int
    """Visits that were returned or timed out."""
    created_at: datetime


@dataclass(frozen=True)
class Curation:
    id: int
    name: str
    kind: SnapshotKind
    filters: dict[str, Any]
    recipe: dict[str, Any]
    """Every threshold, and the restored documents."""
    makes_snapshot: bool
    """False: it stops at a preview."""
    state: CurationStateEnum
    n_documents: int | None
    n_read: int
    """Documents that the recipe has read so far."""
    account: dict[str, Any]
    """`read` = `kept` + `changed` + `removed`, and `rules`; empty before the preview."""
    error: str
    snapshot: int | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Decision:
    reason: ReasonEnum
    note: str
    at: datetime
    ranks: dict[str, int | None]


@dataclass(frozen=True)
class Delivery:
    id: int
    webhook: int
    message: str
    """The header `webhook-id`."""
    event: str
    body: str
    """The JSON as it is sent."""
    state: DeliveryStateEnum
    """`given_up` after the last attempt failed."""
    n_attempts: int
    answer: str
    """The result of the last attempt."""
    due_at: datetime
    """While it waits: the time of the next attempt."""
    created_at: datetime
    tried_at: datetime | None


@dataclass(frozen=True)
class Demonstration:
    text: str
    further: list[Message]
    """For a dialogue: the turns after `text`."""
    sources: str
    """Sources of the facts, in the writer's words."""
    edit_of: int | None
    """The response this is an edit of."""
    source: str
    """The import it came from, or `raters`."""
    licence: str
    """The text's own licence. Empty if it was written here. An edit has that of the text it
    was made from.
    """


@dataclass(frozen=True)
class Dispute:
    id: int
    rater: str
    since: str
    until: str
    text: str
    raised_at: datetime
    answer: str
    answered_at: datetime | None
    correction: str | None
    """Paid on the day of the answer."""
    currency: str


@dataclass(frozen=True)
class Effect:
    name: str
    odds: Figure
    """1 means no effect."""
    p: float | None


@dataclass(frozen=True)
class Estimate:
    """Null if the model's config is unknown."""

    n_steps: int
    n_tokens: int
    n_parameters: int | None
    n_trained: int | None
    memory_gb: float | None
    """On each GPU, with the full models on each."""
    disk_gb: float | None
    times: list[Pace]


@dataclass(frozen=True)
class Export:
    id: int
    campaign: int | None
    shape: str
    style: str
    format: str
    options: ExportOptions
    state: ExportState
    n_rows: int
    """Rows written so far."""
    left_out: dict[str, int]
    """What the shape cannot hold, and how many."""
    card: str
    """The data set card: README.md of the archive."""
    n_bytes: int
    """Of the archive. 0 if it has no file."""
    error: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class ExportOptions:
    includes_extra: bool
    includes_repeats: bool
    includes_imports: bool
    licences: list[str] | None


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval."""

    value: float | None
    n: int
    """What it was computed from."""
    low: float | None
    high: float | None
    note: str
    """Why there is no value or no interval, as a sentence."""


@dataclass(frozen=True)
class Flag:
    """A reason to check a rater's answers, not a verdict."""

    kind: str
    label: str
    sentence: str
    false_alarm: str
    """How often an honest rater looks like this."""


@dataclass(frozen=True)
class Freed:
    n_bytes: int
    n_done: int
    n_kept: int
    """Not freed: in use again, unknown, or the artifact store did not answer."""


@dataclass(frozen=True)
class Gold:
    """A prompt's responses in their correct order."""

    id: int
    prompt: int
    origin: OriginEnum
    made_from: int | None
    """The item whose order it is."""
    note: str
    ranks: list[GoldRank]
    campaigns: list[int]
    """IDs of the campaigns that use it."""
    n_answers: int
    """Raters who answered it, in all campaigns."""
    n_passed: int
    is_suspect: bool
    """Almost nobody passes: more likely the gold item is wrong than the raters."""
    is_withdrawn: bool
    """It is the answer of an expert who has withdrawn."""
    created_at: datetime
    retired_at: datetime | None
    """Since then, raters do not get it and its answers do not count."""


@dataclass(frozen=True)
class GoldCount:
    n: int
    """Gold items added."""


@dataclass(frozen=True)
class GoldRank:
    response: int
    rank: int | None
    """1 is best, equal numbers are a tie, null is left open."""


@dataclass(frozen=True)
class Group:
    kind: str
    """category, language, month or week"""
    value: str
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Guideline:
    id: int
    name: str
    n_versions: int
    n_campaigns: int
    last_at: datetime | None
    """When the newest version was created."""


@dataclass(frozen=True)
class GuidelineExample:
    """An example answer that raters see beside their work."""

    answer: str
    is_good: bool
    why: str
    """The reason, in one sentence."""
    prompt: str


@dataclass(frozen=True)
class GuidelineUse:
    version: str
    questions: list[str]
    n_judgments: int


@dataclass(frozen=True)
class GuidelineVersion:
    """A version. It never changes."""

    id: int
    guideline: int
    number: int
    text: str
    """Markdown."""
    questions: list[RatingQuestion]
    """The rating form, in the order asked."""
    examples: list[GuidelineExample]
    is_major: bool
    """Raters whose onboarding has a step on this guideline repeated it."""
    created_at: datetime


@dataclass(frozen=True)
class Holding:
    """A run, model or snapshot, and its bytes."""

    key: str
    """Name it in `/storage/free`."""
    what: WhatEnum
    id: int
    name: str
    created_at: datetime
    checkpoints: int
    weights: int
    logs: int
    stored: int
    """In the artifact store."""
    total: int
    is_freeable: bool
    why: list[str]
    """Why it is kept. Empty if it can be freed."""
    node: str
    """The node with its state, if this machine has none."""


@dataclass(frozen=True)
class HubImport:
    id: int
    repository: str
    config: str
    split: str
    revision: str
    state: ExportState
    bytes_total: int
    """0 until known."""
    bytes_read: int
    licence: str
    """As the data set's card says."""
    is_cached: bool
    """It came from the worker's local cache."""
    import_batch: int | None
    """The import that follows."""
    error: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Import:
    """An import. It has ended when `finished_at` is set."""

    id: int
    name: str
    state: ImportState
    error: str
    """Why nothing of it can be published, as a sentence."""
    format: str
    """What it is read as."""
    columns: dict[str, str]
    source: Source
    licence: str
    with_judgments: bool
    is_strict: bool
    share: float | None
    """How much of the file is read, from 0 to 1. Null while nothing is known."""
    counts: dict[str, int]
    """Rows by kind: prompts, responses, demonstrations, comparisons, problems, and
    duplicates: rows whose prompt the site had, or an earlier row of the file.
    """
    n_problems: int
    """See `/imports/{id}/problems`."""
    can_publish: bool
    """It was read to its end and rejected for its problems; publish it anyway."""
    campaigns: list[int]
    """IDs of the campaigns that hold the answers of its raters."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class ImportAgreement:
    """`figures` is empty if nothing was compared twice, or too much to compute at once."""

    n_judgments: int
    n_raters: int
    n_pairs: int
    """Distinct pairs of responses."""
    is_too_large: bool
    figures: dict[str, Figure]
    consensus: list[int]
    """Pairs where the first in the file is better, tied, or the second is better."""


@dataclass(frozen=True)
class ImportProblem:
    line: int
    """Of the file; 0 for the file as a whole."""
    sentence: str


@dataclass(frozen=True)
class Invitation:
    id: int
    pool: int
    email: str
    name: str
    state: InvitationState
    n_sent: int
    sent_at: datetime
    expires_at: datetime
    rater: int | None
    """Who accepted."""


@dataclass(frozen=True)
class ItemConsensus:
    item: int
    prompt: int
    n_judgments: int
    n_known: int
    """Of their raters, with a known reliability."""
    places: list[Place]
    """Best first."""
    pairs: list[Pair]
    ratings: list[RatingConsensus]
    adjudicated: dict[str, int | None]
    """Response → rank, where a reviewer decided; otherwise empty."""


@dataclass(frozen=True)
class ItemQuestion:
    id: int
    campaign: int
    item: int
    rater: str
    text: str
    asked_at: datetime
    owner: int | None
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True)
class Judgment:
    """One judgment, under the rater's pseudonym."""

    id: int
    kind: JudgmentKindEnum
    campaign: int | None
    prompt: int
    messages: list[Message]
    """The prompt."""
    category: PromptCategory
    language: str
    split: PromptSplit
    prompt_source: str
    """Where the prompt is from."""
    prompt_licence: str
    """The prompt's licence. Empty if none is stated."""
    licence: str
    """The licences of all its texts as one SPDX expression."""
    item: int | None
    """What was asked: the prompt with its responses. Null for an imported judgment."""
    rater: str
    guideline: str | None
    """Name and version, such as “Helpful answers v3”."""
    submitted_at: datetime
    corrected_at: datetime | None
    """When this version was submitted. Null for the first."""
    active_s: float | None
    is_extra: bool
    is_repeat: bool
    """The same rater judged the same prompt and responses before. Count it once."""
    is_held_out: bool
    """From a pool that is used for evaluation only, never for training."""
    version: int
    supersedes: int | None
    """The judgment that this one replaces."""
    warnings: list[str]
    """Warnings that the rater overruled."""
    demonstration: Demonstration | None
    comparison: Comparison | None


@dataclass(frozen=True)
class JudgmentEvent:
    """A judgment that stopped counting, or counts again."""

    id: int
    event: EventEnum
    """`withdrawn`: its rater has withdrawn; delete it. `set_aside`: a reviewer left it out.
    `restored`: it counts again.
    """
    judgment: int
    campaign: int | None
    rater: str
    at: datetime


@dataclass(frozen=True)
class JudgmentState:
    judgment: int
    is_set_aside: bool
    is_extra: bool
    """It counts beside those asked for: another rater has its place."""


@dataclass(frozen=True)
class LedgerEntry:
    document: int
    """Its place, from 0."""
    id: str
    """Names its text. Restore it by this."""
    origin: str
    """As the file names it."""
    outcome: LedgerEntryOutcomeEnum
    rule: str
    value: Any
    threshold: Any
    twin: str
    """What it repeats."""
    twin_excerpt: str
    excerpt: str
    """Personal data is masked."""
    n_findings: int
    """Places that the rule found, such as addresses."""
    is_restored: bool


@dataclass(frozen=True)
class Line:
    """An area of harm, or a goal in it: an area has no `brief`."""

    area: str
    brief: int | None
    goal: str | None
    n: int
    """Attacks."""
    n_attackers: int
    by_attackers: Figure
    by_reviewers: Figure


@dataclass(frozen=True)
class Lineage:
    steps: list[LineageStep]
    """From this model back to its base."""
    reward_models: list[list[LineageStep]]
    """The lineages of the reward models behind these steps."""
    children: list[Named]


@dataclass(frozen=True)
class LineageStep:
    """One model, and what made it. A base model has neither run nor snapshot."""

    model: Named
    run: Named | None
    snapshot: Named | None


@dataclass(frozen=True)
class Link:
    """One step of a chain and what it produced: a snapshot, a run or a campaign."""

    step: StepEnum
    state: LinkStateEnum
    needs_approval: bool
    approved_by: str | None
    approved_at: datetime | None
    snapshot: int | None
    run: int | None
    campaign: int | None
    model: int | None
    """For `gate`: the model it decides about."""
    verdict: dict[str, Any]
    """For `gate`, once decided: `outcome` (`passed`, `failed`, or `waits` for a person),
    `sentence`, and `checks` with each figure, its interval and its bar.
    """
    began_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class LoadedSuites:
    suites: list[int]
    """IDs of those that were added."""


@dataclass(frozen=True)
class Log:
    """Complete lines, and the parameters for the next request."""

    state: RunState
    next_attempt: int
    next_since: int
    results: list[LogLine]
    unfinished: str
    """The incomplete last line, such as a progress bar. Often empty."""


@dataclass(frozen=True)
class LogLine:
    number: int
    """Line number in the attempt's log, from 1. A gap means that lines were dropped."""
    text: str


@dataclass(frozen=True)
class MadeGold:
    gold: int


@dataclass(frozen=True)
class Matching:
    n_matching: int
    """Prompts that match the selection."""
    n_fitting: int
    """Of those, prompts with enough responses; all of them for demonstrations."""
    n_taken: int
    """What a campaign would use of them."""


@dataclass(frozen=True)
class MeasuredRule:
    recipe: str
    rule: str
    campaign: int
    precision: RateOfRule
    """Of documents that the rule removed."""
    kept: RateOfRule
    """Of documents that the recipe kept."""


@dataclass(frozen=True)
class Message:
    role: RoleEnum
    content: str


@dataclass(frozen=True)
class Model:
    id: int
    name: str
    kind: ModelKind
    location: str
    licence: str
    notes: str
    stage: ModelStage
    is_elsewhere: bool
    """An external model: it is sampled from, never trained."""
    parent: int | None
    run: int | None
    """The run that trained it. Null for a base model."""
    snapshot: int | None
    """The snapshot it was trained on."""
    metrics: dict[str, Any]
    archive: str | None
    """URL of its .tar. Null if its weights are deleted or external."""
    is_pinned: bool
    is_freed: bool
    created_at: datetime


@dataclass(frozen=True)
class ModelResponse:
    id: int
    prompt: int
    text: str
    number: int
    """Among the model's responses to the prompt."""
    sampling: dict[str, Any]
    is_ended: bool | None
    n_judged: int
    """How often it was compared."""
    created_at: datetime


@dataclass(frozen=True)
class Named:
    id: int
    name: str


@dataclass(frozen=True)
class NamedModel:
    id: int
    name: str


@dataclass(frozen=True)
class Node:
    id: int
    name: str
    is_alive: bool
    """It has reported in the last minute."""
    takes_runs: bool
    """It is alive and not draining."""
    draining_since: datetime | None
    seen_at: datetime
    n_cores: int
    memory_gb: float
    memory_free_gb: float
    gpus: list[dict[str, Any]]
    """Of each: name, memory_gb, used_gb, load, temperature_c."""
    versions: dict[str, Any]
    runs: list[int]
    """IDs of the runs on it now."""


@dataclass(frozen=True)
class OnboardingStep:
    id: int
    pool: int
    kind: OnboardingStepKind
    position: int
    """Lower ones come first."""
    guideline: int | None
    passing_score: float | None
    """In percent; of demonstrations the mean score, 1 to 7. Null if nothing is scored."""
    max_attempts: int
    needs_decision: bool
    paid_minutes: int
    version: StepVersion
    """The current version."""
    n_passed: int
    """Raters who passed."""
    n_waiting: int
    """Attempts that wait for a decision."""
    retired_at: datetime | None


@dataclass(frozen=True)
class OtherPool:
    pool: str
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Pace:
    device: str
    seconds: float
    n_runs: int
    """Number of past runs this is based on."""
    n_processes: int
    """Processes of each of those runs, on all machines."""
    is_as_wide: bool
    """Whether those runs had as many processes and machines as this one requests."""


@dataclass(frozen=True)
class Pair:
    left: int
    """ID of a response."""
    right: int
    n_left: int
    n_tie: int
    n_right: int
    majority: int | None
    """-1: left is better, 0: a tie, 1: right; null: no winner."""
    weighted: int | None
    p: float
    """How likely the weighted result is."""


@dataclass(frozen=True)
class Payment:
    id: int
    rater: int
    since: str
    until: str
    totals: dict[str, str]
    """Currency → amount."""
    note: str
    paid_at: datetime


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    email: str
    roles: list[RolesEnum]
    time_zone: str
    is_active: bool
    """Whether they can sign in."""
    rater: int | None
    """Their ID in pools and `GET /raters`. Null if they have never been a rater."""
    created_at: datetime


@dataclass(frozen=True)
class Place:
    response: int
    by_majority: int
    """1 is best; equal numbers share a place."""
    weighted: int
    """Votes weighted by the raters' reliability."""
    certainty: float


@dataclass(frozen=True)
class Plan:
    """What a conversation campaign asks for."""

    models: list[Share]
    opening: OpeningEnum
    draws: DrawsEnum
    brief: str
    min_turns: int
    max_turns: int
    max_new_tokens: int
    rates_end: bool
    top_p: float


@dataclass(frozen=True)
class Point:
    attempt: int
    step: int
    at: datetime
    values: dict[str, float]
    """Values by metric."""


@dataclass(frozen=True)
class Pool:
    id: int
    name: str
    description: str
    is_held_out: bool
    languages: list[str]
    """Codes of the languages that everyone in the pool reads."""
    expertise: list[str]
    """What everyone in the pool knows: prompt categories and other tags."""
    routes_by_language: bool
    routes_by_category: bool
    max_per_day: int | None
    max_at_once: int | None
    shown_items: int | None
    shown_percent: int
    n_raters: int
    n_campaigns: int
    paused_at: datetime | None
    """Since then, its raters get no items."""
    created_at: datetime


@dataclass(frozen=True)
class PoolMember:
    """A rater in the pool, under their pseudonym."""

    id: int
    rater: int
    alias: str
    joined_at: datetime
    paused_at: datetime | None
    n_judged: int
    """Their answers, in all pools."""
    last_at: datetime | None
    """When they last answered."""


@dataclass(frozen=True)
class PoolRate:
    """What the pool pays for one kind of work from a time on."""

    id: int
    kind: PoolRateKind
    basis: BasisEnum
    amount: str
    """In whole units: 12.5 with `EUR` is 12.50 euros."""
    currency: str
    floor: str | None
    """Timesheets flag pay below this per hour. Null for none."""
    valid_from: datetime


@dataclass(frozen=True)
class Preview:
    """The first rows, as an import would store them."""

    format: str
    """What the file is read as."""
    names: list[str]
    """The file's own columns."""
    rows: list[PreviewRow]
    problems: list[ImportProblem]


@dataclass(frozen=True)
class PreviewReply:
    text: str
    words: list[str]
    """What is stored with it: kind, model, rank, …"""


@dataclass(frozen=True)
class PreviewRow:
    line: int
    messages: list[Message]
    replies: list[PreviewReply]
    words: list[str]


@dataclass(frozen=True)
class Progress:
    n_slots: int
    """Number of answers requested."""
    n_submitted: int
    n_in_hand: int
    """In progress: reserved by a rater now."""
    n_left: int
    n_extra: int
    """Submitted late, after the item was already complete."""
    is_done: bool


@dataclass(frozen=True)
class ProlificBonus:
    id: int
    study: int
    state: ProlificBonusStateEnum
    """`unconfirmed`: sent without an answer, so the site looks for the bonuses."""
    amount: int
    """For the participants."""
    total: int
    """With Prolific's fees and VAT."""
    problem: str
    lines: list[ProlificBonusLine]
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class ProlificBonusLine:
    submission: int
    amount: int
    is_paid: bool
    """Whether Prolific lists it."""


@dataclass(frozen=True)
class ProlificCost:
    n_places: int
    rewards: int
    total: int
    """With Prolific's fees and VAT."""
    currency: str


@dataclass(frozen=True)
class ProlificStudy:
    id: int
    crowd_link: int
    prolific_id: str
    name: str
    description: str
    eligibility: str
    project_id: str
    filter_set_id: str
    reward: int
    currency: str
    """ISO 4217, once Prolific has said it."""
    minutes: int
    """Estimated time."""
    n_places: int
    screen_out_reward: int | None
    screen_out_places: int | None
    completion_code: str
    no_work_code: str
    """For workers who find no more items."""
    screen_out_code: str
    """For workers who do not pass onboarding."""
    status: str
    """As Prolific says it, such as ACTIVE."""
    polled_at: datetime | None
    """When Prolific last said how the study stands."""
    problem: str
    """Why the last look failed. Empty if it did not."""
    created_at: datetime


@dataclass(frozen=True)
class ProlificSubmission:
    id: int
    study: int
    prolific_id: str
    rater: int | None
    """Null if the participant never opened the link."""
    status: str
    """As Prolific says it, such as AWAITING REVIEW."""
    visit_state: str | None
    """As the site has it."""
    n_answers: int
    has_passed: bool
    """Waits for review, with the code the site gave for a complete visit."""
    is_late: bool
    """Finished after Prolific had given the place away: no reward, so a bonus is due."""
    earned: int
    """At the pool's rates."""
    received: int
    """Rewards and bonuses, also those on their way."""
    due: int
    """What a bonus would pay."""
    started_at: datetime | None
    completed_at: datetime | None
    return_asked_at: datetime | None


@dataclass(frozen=True)
class Prompt:
    id: int
    messages: list[Message]
    category: PromptCategory
    language: str
    split: PromptSplit
    licence: str
    sensitive: list[SensitiveEnum]
    """Kinds of upsetting content in the prompt or its answers."""
    constraints: list[str]
    """Requirements an answer must meet, one sentence each."""
    source: Source
    origin: str
    version: int
    supersedes: int | None
    """The prompt that this one replaces."""
    created_at: datetime
    retired_at: datetime | None
    """Since then, no new campaign uses it."""


@dataclass(frozen=True)
class PromptLineage:
    id: int
    messages: list[dict[str, Any]]
    n_judgments: int
    campaigns: list[Named]
    snapshots: list[UseInSnapshot]


@dataclass(frozen=True)
class PromptResponse:
    id: int
    source: Named
    model: Named | None
    text: str
    n_judged: int


@dataclass(frozen=True)
class Publication:
    """A publication of a model or of an export to a hub. It is complete when `state` is
    `done`.
    """

    id: int
    model: int | None
    export: int | None
    repository: str
    is_private: bool
    state: PublicationState
    bytes_total: int
    """0 until known."""
    bytes_sent: int
    address: str
    """URL on the hub, once published."""
    error: str
    """What went wrong, as a sentence."""
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class QualityRow:
    campaign: int
    name: str
    computed_at: datetime
    n_judgments: int
    agreement: Figure
    """Ties count half."""
    alpha: Figure
    """Krippendorff's α, ordinal."""
    n_raters_to_check: int


@dataclass(frozen=True)
class Question:
    name: str
    label: str
    is_scale: bool
    figures: dict[str, Figure]


@dataclass(frozen=True)
class QueuedRun:
    run: int
    name: str
    kind: str
    priority: int
    wanted_node: str
    """The only node that may take it; empty for any."""
    why: str
    """Why it is still waiting, as a sentence."""


@dataclass(frozen=True)
class RankedResponse:
    response: int
    source: str
    licence: str
    """The text's own licence. Empty if it was written here."""
    text: str
    position: int
    """Position on the page. 0 is shown first."""
    rank: int | None
    """1 is best, equal numbers are a tie, null is unranked."""
    ratings: dict[str, Any]
    """Answers by question. Questions that were not asked are absent."""


@dataclass(frozen=True)
class RateOfRule:
    n: int
    """Documents with at least one answer."""
    share: float | None
    """Of those, how many should be removed; ties count half."""
    low: float
    """Lower end of the 95 % interval."""
    high: float


@dataclass(frozen=True)
class Rater:
    id: int
    alias: str
    """The pseudonym in all exports."""
    person: int
    """For `GET /people/{id}`."""
    status: StatusEnum
    pools: list[RaterPool]
    languages: list[str]
    topics: list[str]
    """Prompt categories and other tags."""
    n_judged: int
    last_at: datetime | None
    """When they last answered."""


@dataclass(frozen=True)
class RaterPair:
    """Two raters with at least ten votes or answers in common."""

    one: str
    """A pseudonym."""
    other: str
    agreement: Figure | None
    """Ties count half. Null for a question of the form."""
    kappa: Figure
    """Cohen's. Weighted for scales."""


@dataclass(frozen=True)
class RaterPool:
    id: int
    name: str
    paused_at: datetime | None


@dataclass(frozen=True)
class RaterQuality:
    """One rater of the campaign, under a pseudonym. Read `caution` with it."""

    rater: int
    alias: str
    is_withdrawn: bool
    n_judgments: int
    weight: float | None
    """Used in snapshots: 0 is no better than chance, 1 always right."""
    figures: dict[str, Figure]
    habits: dict[str, Figure]
    flags: list[Flag]
    taste: str
    """The group with a taste of its own that the rater shares; otherwise empty."""
    caution: str


@dataclass(frozen=True)
class RaterSkills:
    """What a rater knows, by how the site knows it. Routing asks for any of them."""

    declared: Skills
    """Stated by the rater."""
    tested: Skills
    """Passed in a test."""
    shown: Skills
    """Earned by answers, or observed by an admin."""


@dataclass(frozen=True)
class RatingCondition:
    """When a question is asked: an earlier flag is ticked, or an earlier scale is answered
    within bounds.
    """

    question: str
    """The `name` of an earlier question."""
    at_least: int | None
    """For a scale."""
    at_most: int | None
    """For a scale."""


@dataclass(frozen=True)
class RatingConsensus:
    """The answers to one question about one response. Yes is 1 and no is 0; words in an
    order count by their place, from 1. Without an order there are no numbers.
    """

    response: int
    question: str
    n_answers: int
    n_known: int
    """Of their raters, with a known weight."""
    answer: str
    """The word at the median, or the most frequent category; empty for numbers."""
    weighted_answer: str
    mean: float | None
    low: float | None
    """Of the 95 % interval of the mean."""
    high: float | None
    median: float | None
    spread: float | None
    """The standard deviation."""
    weighted: float | None
    """The mean, weighted by how closely raters answer like the others."""


@dataclass(frozen=True)
class RatingQuestion:
    """One question about a single response: a flag (yes or no) or a scale of whole numbers."""

    kind: RatingQuestionKindEnum
    name: str
    """The key in `ratings`. Keep it in later versions, so that answers stay comparable. Left
    out, it is made from the label.
    """
    label: str
    """The question as raters read it."""
    help: str
    low: int
    """Scales only; 1 if left out."""
    high: int
    """Scales only; 7 if left out."""
    low_label: str
    high_label: str
    is_required: bool
    """Scales only: raters must answer."""
    is_merit: bool
    """Flags only: it speaks for the response."""
    asked_if: RatingCondition | None
    """Left out, the question is always asked."""


@dataclass(frozen=True)
class RedTeaming:
    campaign: int
    name: str
    n_reviewers: int
    review_campaign: int | None
    """Since the first attack ended."""
    demonstration_campaign: int | None
    """Since an attack was put to use."""
    briefs: list[StoredBrief]


@dataclass(frozen=True)
class RedTeamingSuccess:
    """The shares of attacks that got to 3 or 4 of 4."""

    all_attacks: Line
    lines: list[Line]
    agreement: Figure
    """Krippendorff's α of attackers and reviewers, ordinal."""


@dataclass(frozen=True)
class Report:
    """The report that the numbers are from."""

    campaign: int
    computed_at: datetime
    n_judgments: int
    n_set_aside: int
    n_withdrawn: int
    n_new: int
    """Judgments since then, counted up to 1,001. A new report follows by itself."""
    is_outdated: bool
    """Decisions have changed since."""
    is_computing: bool


@dataclass(frozen=True)
class Response:
    id: int
    prompt: int
    source: Source
    text: str
    number: int
    """Among the source's responses to the prompt."""
    licence: str
    """Its own, or that of its source."""
    sampling: dict[str, Any]
    """How a model was sampled."""
    marks: dict[str, Any]
    """What an import said of it: label, scores."""
    created_at: datetime


@dataclass(frozen=True)
class RestoredDocument:
    id: int
    recipe: str
    document: str
    """Its `id` in the ledger."""
    rule: str
    excerpt: str
    """Personal data is masked."""
    restored_at: datetime


@dataclass(frozen=True)
class Review:
    score: int | None
    feedback: str
    appealed_at: datetime | None


@dataclass(frozen=True)
class ReviewItem:
    """An item with every answer to it, and what was decided."""

    item: int
    prompt: int
    responses: list[ReviewResponse]
    answers: list[ReviewedAnswer]
    decision: Decision | None
    gold: int | None


@dataclass(frozen=True)
class ReviewResponse:
    letter: str
    response: int
    text: str


@dataclass(frozen=True)
class ReviewRow:
    """An item with answers that wait for review."""

    item: int
    n_judgments: int
    agreement: float | None
    """Of its answers; null with fewer than two raters."""
    pace: float | None
    """Characters per second of the fastest answer."""
    seconds: float | None
    n_new: int
    """Answers by new raters."""
    is_drawn: bool
    """In the random sample."""
    is_requested: bool
    """By a rater who was paused."""
    pasted: float | None
    """Largest share of pasted text."""
    latest_at: datetime


@dataclass(frozen=True)
class ReviewedAnswer:
    judgment: int
    who: str
    text: str | None
    ranks: dict[str, int | None]
    """Response → rank."""
    reason: str
    edit: str
    """Their edit of a response."""
    pace: float | None
    is_new: bool
    pasted_share: float | None
    is_set_aside: bool
    review: Review | None


@dataclass(frozen=True)
class Run:
    id: int
    name: str
    kind: RunKind
    state: RunState
    outcome: str
    """Empty until the run has ended."""
    error: str
    """What went wrong, as a sentence."""
    config: dict[str, Any]
    snapshot: int
    ptx_snapshot: int | None
    """PPO only: the snapshot of text that PPO-ptx mixes in."""
    base_model: int
    reward_model: int | None
    """Reward model that scores the responses."""
    watchdog_model: int | None
    """PPO only: a reward model that scores the responses and is never used for training.
    """
    reference_model: int | None
    """PPO and RLOO: the model that the KL is measured to. Omit it for the fine-tuned model
    that the base model's line began with.
    """
    other_model: int | None
    """Evaluations only: the model to compare with."""
    attacker_model: int | None
    """Attacks only: the model that leads conversations of several turns."""
    made_from: int | None
    """The run it is a copy or an extension of."""
    made_as: str
    is_dry: bool
    """A dry run: two steps, no model."""
    priority: int
    """The highest runs first."""
    tags: list[str]
    remarks: str
    kept_step: int | None
    """The step of the saved state it can be extended from."""
    model: int | None
    """The model it produced."""
    attempt: int
    node: str
    n_gpus: int
    """GPUs needed. Only a node with this many takes the run."""
    memory_gb: int
    """Memory needed on each GPU, or on the machine if no GPU is requested."""
    launch: dict[str, Any]
    """`n_processes` and how they share the work. Empty for a single process."""
    is_pinned: bool
    is_freed: bool
    step: int
    n_steps: int
    """0 until known."""
    metrics: dict[str, Any]
    versions: dict[str, Any]
    notes: list[str]
    is_stop_requested: bool
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    progress_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Sample:
    """A response sampled during training."""

    id: int
    attempt: int
    step: int
    prompt: str
    response: str
    scores: dict[str, Any]
    """Scores by name: a number, true or false."""


@dataclass(frozen=True)
class Sampled:
    campaign: int
    n: int
    n_attempts: int
    """That could have been drawn."""


@dataclass(frozen=True)
class Schedule:
    """A schedule."""

    id: int
    name: str
    trigger: TriggerEnum
    cron: str
    """For `clock` and `accuracy`: minute, hour, day of month, month, day of week. Otherwise
    empty.
    """
    time_zone: str
    n_new: int
    """For `data`: new judgments needed since the last run."""
    accuracy_drop: float
    """For `accuracy`: the drop, in percentage points."""
    n_fresh_pairs: int
    """For `accuracy`: new pairs needed to measure."""
    judge: int | None
    """For `accuracy`: the first reward model to measure."""
    skips_nothing_new: bool
    min_interval_h: int
    max_runs_a_week: int | None
    """Null for no limit."""
    quiet_from: str | None
    """In the schedule's time zone."""
    quiet_until: str | None
    plan: dict[str, Any]
    """Template, models, data, and the full config of each kind of run."""
    paused_at: datetime | None
    due_at: datetime | None
    """For `clock`: when it runs next."""
    last_ran_at: datetime | None
    n_firings: int
    created_at: datetime


@dataclass(frozen=True)
class Score:
    """By the suite's own scorer: shares lie between 0 and 1, rewards have no bounds."""

    suite: int
    run: int
    scorer: str
    score: float | None
    low: float | None
    """95 % interval; null: too few items"""
    high: float | None
    n: int
    """Items with a score."""
    n_missing: int
    """Items without an answer, never scored as wrong."""


@dataclass(frozen=True)
class Scorecard:
    models: list[NamedModel]
    baseline: NamedModel | None
    scores: list[SuiteScore]


@dataclass(frozen=True)
class ScoredModel:
    id: int
    name: str
    scores: list[Score]


@dataclass(frozen=True)
class SentInvitation:
    id: int
    email: str
    link: str
    """Works once, until the invitation expires. Only returned in this response."""


@dataclass(frozen=True)
class SentInvitations:
    are_mailed: bool
    """False if the mail server could not be reached: pass on the links yourself."""
    invitations: list[SentInvitation]
    """Without people who are in the pool already."""


@dataclass(frozen=True)
class SentToRaters:
    campaign: int
    n: int
    n_left_out: int
    """Their prompts repeat others, or are nearly ones that models train on."""


@dataclass(frozen=True)
class Share:
    source: int
    weight: float
    temperature: float


@dataclass(frozen=True)
class Skills:
    languages: list[str]
    topics: list[str]
    """Prompt categories, such as `summarization`, and tags of your own."""


@dataclass(frozen=True)
class Skip:
    rater: str
    note: str
    at: datetime


@dataclass(frozen=True)
class Snapshot:
    id: int
    name: str
    kind: SnapshotKind
    filters: dict[str, Any]
    fingerprint: str
    """SHA-256 of the SHA-256 of each file."""
    card: dict[str, Any]
    """Counts, sources, licences and splits."""
    n_rows: int
    created_at: datetime


@dataclass(frozen=True)
class Source:
    id: int
    name: str
    kind: str


@dataclass(frozen=True)
class StepAttempt:
    """A rater's attempt at a step. Answers to a profile are never given."""

    id: int
    step: int
    version: int
    """The number answered."""
    rater: int
    alias: str
    number: int
    state: AttemptState
    answers: list[Any]
    """In the order of the version's questions."""
    score: float | None
    """A share from 0 to 1; of demonstrations the mean score, 1 to 7."""
    submitted_at: datetime
    may_retry: bool
    """An admin allowed another attempt."""
    decided_at: datetime | None
    decision: str
    """The message to the rater."""


@dataclass(frozen=True)
class StepQuestion:
    """A question. `profile`: text, choices. `guideline`: text, choices, right. `flags`:
    prompt, response, is_sensitive. `rankings`: prompt, responses, ranks.
    `demonstrations`: prompt. `topics`: topic.
    """

    text: str
    choices: list[str]
    right: int
    """Which choice is correct, from 0."""
    prompt: str
    response: str
    is_sensitive: bool
    """As your researchers answered."""
    responses: list[str]
    ranks: list[int]
    """A rank for each response: 1 is best, equal numbers are a tie."""
    topic: str
    """A prompt category, or a tag."""


@dataclass(frozen=True)
class StepVersion:
    """What raters see of a step. A version never changes."""

    id: int
    number: int
    title: str
    text: str
    """Markdown."""
    questions: list[StepQuestion]
    created_at: datetime


@dataclass(frozen=True)
class StoredBrief:
    goal: str
    area: SensitiveEnum
    """Only raters who agreed to this kind of content get the brief."""
    rule: str
    """One line of the text of the guideline's newest version."""
    id: int
    guideline_version: int
    """The version whose text has the rule."""


@dataclass(frozen=True)
class StoredResponses:
    responses: list[Response]
    """In the order of the call."""


@dataclass(frozen=True)
class Success:
    """How often attacks succeeded. `share` is the best estimate, made by `method`."""

    n: int
    """Attempts with an answer."""
    n_goals: int
    n_found: int
    """The classifier calls these successful."""
    n_labelled: int
    """Raters have judged these."""
    method: MethodEnum
    """labels: corrected by raters' labels of a random sample; rates: by the classifier's
    known rates; uncorrected; counted: too few goals for an estimate.
    """
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Suite:
    id: int
    slug: str
    """The id in suite.yaml: the same for all versions."""
    version: str
    name: str
    kind: SuiteKind
    area: SuiteArea
    scorer: str
    about: str
    licence: str
    source: str
    options: dict[str, Any]
    items_hash: str
    """SHA-256 of items.jsonl."""
    n_items: int
    is_shipped: bool
    """Came with the product."""
    created_at: datetime
    retired_at: datetime | None
    """Since then, new runs are not offered it."""


@dataclass(frozen=True)
class SuiteItem:
    id: int
    key: str
    """Its id in the file."""
    category: str
    cluster: str
    """Items with the same one are not independent. Empty: on its own."""
    prompt: list[dict[str, Any]]
    content: dict[str, Any]
    """What its kind needs: choices, texts, …"""


@dataclass(frozen=True)
class SuiteScore:
    """A model on a suite. Shares lie between 0 and 1, rewards have no bounds. Fields of the
    difference are null without a baseline, or where nothing can be compared.
    """

    model: str
    suite: str
    version: str
    area: SuiteArea
    scorer: str
    score: float | None
    low: float | None
    """95 % interval; null: too few items"""
    high: float | None
    n: int
    """items with a score"""
    n_missing: int
    """items without an answer, never scored as wrong"""
    n_clusters: int | None
    n_in_training_data: int
    """items that share 13 words in a row with the model's training data"""
    baseline: str | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    p: float | None
    p_holm: float | None
    """corrected for the number of suites"""
    method: str | None
    """mcnemar, bootstrap or too few"""
    n_common: int | None
    """items that both answered"""
    smallest_difference: float | None
    """what this many items would show with 80 % probability"""
    verdict: VerdictEnum | None
    details: dict[str, Any]
    """by category, shares of labels, calibration, …"""
    beside: list[dict[str, Any]]
    """scores by other scorers and by people"""


@dataclass(frozen=True)
class Timesheet:
    """What one rater did in these days, and what it comes to."""

    rater: int
    alias: str
    since: str
    until: str
    n: int
    """Answers."""
    n_skipped: int
    active_s: float
    totals: dict[str, str]
    due: dict[str, str]
    """What is not paid yet."""
    n_without_rate: int
    """Lines that cost nothing because no rate is set."""
    alarms: list[str]
    """Work that pays less than its minimum."""


@dataclass(frozen=True)
class TimesheetLine:
    day: str
    pool: str
    work: str
    n: int
    extra: int
    skipped: int
    active_s: float
    rate: str
    paid_by: str
    """hour or item"""
    amount: str
    currency: str
    state: TimesheetLineStateEnum
    later: str
    """“yes” if it was added to a day that had been paid."""


@dataclass(frozen=True)
class Touched:
    """What holds, or learned from, the rater's answers and texts. To remove their data
    fully: create new snapshots, train again, retire these models.
    """

    n_judgments: int
    snapshots: list[UseInSnapshot]
    runs: list[Named]
    models: list[Named]


@dataclass(frozen=True)
class Turn:
    number: int
    state: TurnStateEnum
    prompt: int
    """The prompt with the history and this message."""
    item: int
    message: str
    """What the rater wrote."""
    answers: list[TurnAnswer]
    edit: int | None
    """The response with the rater's own text, if that went on."""
    judgment: int | None
    """The comparison."""
    n_regenerated: int
    """How often the rater asked for other answers."""
    propensity: float
    """Probability that these sources were drawn, in any order."""
    failures: list[TurnFailure]


@dataclass(frozen=True)
class TurnAnswer:
    response: int
    source: int
    text: str
    """As stored, names included."""
    is_chosen: bool
    """The conversation went on with it."""


@dataclass(frozen=True)
class TurnFailure:
    """A source that was asked twice for an answer and gave none."""

    place: int
    """Which of the turn's answers, from 0."""
    round: int
    """1 unless the rater asked for other answers."""
    source: int
    error: str
    answered_by: int | None
    """The source that answered in its place."""


@dataclass(frozen=True)
class UseInSnapshot:
    id: int
    name: str
    n_from_here: int
    """Its judgments from here."""


@dataclass(frozen=True)
class Verified:
    is_intact: bool
    """Its files have the fingerprint."""


@dataclass(frozen=True)
class Waiting:
    """How much waits in each queue."""

    repair: int
    safety: int
    technical: int
    questions: int
    onboarding: int
    """Onboarding answers to review."""


@dataclass(frozen=True)
class Webhook:
    id: int
    name: str
    url: str
    events: list[str]
    old_secret_until: datetime | None
    """Until then, messages are also signed with the previous secret."""
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True)
class WebhookSecret:
    id: int
    secret: str
    """Only returned in this response."""
    old_secret_until: datetime | None
    """Until then, messages are also signed with the previous secret."""


@dataclass(frozen=True)
class Withdrawal:
    """A rater under a pseudonym."""

    id: int
    """Of the rater."""
    alias: str
    withdrawn_at: datetime | None
    """Null for a rater who has not withdrawn."""
