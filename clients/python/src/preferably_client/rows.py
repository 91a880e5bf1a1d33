"""The API's responses as frozen dataclasses.

Made from the site's schema by `make client`; do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "AnswerScore",
    "BenchmarkAnswer",
    "Campaign",
    "CampaignKind",
    "CampaignLineage",
    "CampaignState",
    "Card",
    "Chain",
    "ChainStateEnum",
    "ComparedSource",
    "Comparison",
    "Delivery",
    "DeliveryStateEnum",
    "Demonstration",
    "Estimate",
    "EventEnum",
    "EventsEnum",
    "FormatEnum",
    "Freed",
    "Guideline",
    "GuidelineUse",
    "Holding",
    "Import",
    "ImportProblem",
    "ImportState",
    "Judgment",
    "JudgmentEvent",
    "JudgmentKindEnum",
    "LedgerEntry",
    "Lineage",
    "LineageStep",
    "Link",
    "LinkStateEnum",
    "LoadedSuites",
    "Log",
    "LogLine",
    "Message",
    "Model",
    "ModelKind",
    "ModelResponse",
    "ModelStage",
    "Named",
    "NamedModel",
    "NewSnapshotKindEnum",
    "Node",
    "OrderEnum",
    "Pace",
    "Point",
    "Pool",
    "PresetEnum",
    "Preview",
    "PreviewReply",
    "PreviewRow",
    "Progress",
    "Prompt",
    "PromptCategory",
    "PromptLineage",
    "PromptResponse",
    "PromptSplit",
    "Publication",
    "PublicationStateEnum",
    "QueuedRun",
    "RankedResponse",
    "RoleEnum",
    "Run",
    "RunKind",
    "RunState",
    "Sample",
    "Schedule",
    "Score",
    "Scorecard",
    "ScoredModel",
    "ScorerEnum",
    "SensitiveEnum",
    "SentToRaters",
    "ShapeEnum",
    "Snapshot",
    "SnapshotKind",
    "Source",
    "StepEnum",
    "StrategyEnum",
    "Suite",
    "SuiteArea",
    "SuiteItem",
    "SuiteKind",
    "SuiteScore",
    "TemplateEnum",
    "TriggerEnum",
    "UseInSnapshot",
    "VerdictEnum",
    "Verified",
    "Webhook",
    "WebhookSecret",
    "WhatEnum",
]


CampaignKind = Literal["demonstration", "comparison"]

CampaignState = Literal["draft", "open", "paused", "closed"]

ChainStateEnum = Literal["going", "approval", "failed", "stopped", "finished"]

DeliveryStateEnum = Literal["waiting", "delivered", "given_up"]

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

FormatEnum = Literal[
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
    "label_studio",
    "rankings",
]

ImportState = Literal["queued", "running", "published", "refused", "discarded"]

JudgmentKindEnum = Literal["demonstration", "comparison"]

LinkStateEnum = Literal["waiting", "approval", "working", "done", "failed"]

ModelKind = Literal["policy", "reward"]

ModelStage = Literal["candidate", "approved", "retired"]

NewSnapshotKindEnum = Literal["demonstrations", "comparisons", "prompts"]

OrderEnum = Literal["finish_first", "spread"]

PresetEnum = Literal["small", "balanced", "thorough"]

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

PublicationStateEnum = Literal["queued", "running", "done", "failed"]

RoleEnum = Literal["system", "user", "assistant"]

RunKind = Literal[
    "sft", "reward", "ppo", "dpo", "rloo", "pretrain", "sample", "evaluate", "benchmark"
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

ShapeEnum = Literal[
    "suite",
    "xstest",
    "simple-safety-tests",
    "llmbar",
    "rewardbench-2",
    "rewardbench",
    "mt-bench",
    "truthfulqa",
    "truthfulqa-mc",
]

SnapshotKind = Literal["demonstrations", "comparisons", "prompts", "text", "suites"]

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

SuiteArea = Literal["capability", "safety", "over-refusal", "honesty", "reward"]

SuiteKind = Literal["choice", "generate", "pairs", "best-of-k", "flip", "lm-eval"]

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

TriggerEnum = Literal["clock", "data", "accuracy", "hand"]

VerdictEnum = Literal[
    "better", "worse", "cannot be told apart", "too few", "other scorer", "no common items"
]

WhatEnum = Literal["model", "run", "snapshot"]


@dataclass(frozen=True)
class AnswerScore:
    scorer: str
    value: float
    """0 to 1, higher is better; rewards have no bounds."""
    label: str
    certainty: float | None


@dataclass(frozen=True)
class BenchmarkAnswer:
    id: int
    suite: int
    item: int
    key: str
    text: str
    follow_ups: list[Any]
    """Its answers to later turns."""
    values: dict[str, Any]
    """Log-likelihoods or rewards."""
    missing: str
    """Why there is no answer; otherwise empty."""
    scores: list[AnswerScore]


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
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    progress: Progress
    last_at: datetime | None
    """When the newest judgment was submitted."""


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
class Card:
    text: str
    """Markdown. Published with the weights as README.md."""
    is_written: bool
    """True if a person wrote it, false if it is generated."""


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
class Freed:
    n_bytes: int
    n_done: int
    n_kept: int
    """Not freed: in use again, unknown, or the artifact store did not answer."""


@dataclass(frozen=True)
class Guideline:
    id: int
    name: str
    n_versions: int
    n_campaigns: int
    last_at: datetime | None
    """When the newest version was created."""


@dataclass(frozen=True)
class GuidelineUse:
    version: str
    questions: list[str]
    n_judgments: int


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
    """Rows by kind: prompts, responses, demonstrations, comparisons, duplicates, …"""
    n_problems: int
    """See `/imports/{id}/problems`."""
    can_publish: bool
    """It was read to its end and rejected for its problems; publish it anyway."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class ImportProblem:
    line: int
    """Of the file; 0 for the file as a whole."""
    sentence: str


@dataclass(frozen=True)
class Judgment:
    """One judgment, under the rater's pseudonym."""

    id: int
    kind: JudgmentKindEnum
    campaign: int | None
    prompt: int
    item: int | None
    """What was asked: the prompt with its responses. Null for an imported judgment."""
    rater: str
    guideline: str | None
    """Name and version, such as “Helpful answers v3”."""
    submitted_at: datetime
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
class LedgerEntry:
    """A document that a recipe removed or changed. Personal data is never shown."""

    document: int
    """Its number in the file."""
    id: str
    source: str
    outcome: str
    rule: str
    value: str
    """What the rule measured."""
    threshold: str
    twin: str
    """The document that it copies, if it does."""
    excerpt: str
    n_findings: int


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
    n_raters: int
    n_campaigns: int
    created_at: datetime


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
    created_at: datetime


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
    """A publication of a model to a hub. It is complete when `state` is `done`."""

    id: int
    model: int
    repository: str
    is_private: bool
    state: PublicationStateEnum
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
    text: str
    position: int
    """Position on the page. 0 is shown first."""
    rank: int | None
    """1 is best, equal numbers are a tie, null is unranked."""
    ratings: dict[str, Any]
    """Answers by question. Questions that were not asked are absent."""


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
class SentToRaters:
    campaign: int
    n: int
    n_left_out: int
    """Their prompts repeat others, or are nearly ones that models train on."""


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
