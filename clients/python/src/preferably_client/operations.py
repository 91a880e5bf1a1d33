"""One method per operation of the schema, with its name.

Made from the site's schema by `make client`; do not edit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, Literal

from preferably_client.core import (
    UNSET,
    Call,
    Download,
    Listing,
    Unset,
    delete,
    feed,
    fetch,
    get,
    given,
    pages,
    patch,
    post,
    upload,
)
from preferably_client.operation import download, listing, operation
from preferably_client.rows import (
    Agreement,
    Appeal,
    Attack,
    Attacks,
    AuditEvent,
    BasisEnum,
    BenchmarkAnswer,
    Bias,
    Campaign,
    CampaignItem,
    CampaignKind,
    CampaignLineage,
    CampaignStanding,
    Card,
    Case,
    Chain,
    Computing,
    Conversation,
    CrowdLink,
    Curation,
    DecisionEnum,
    Delivery,
    Dispute,
    DrawsEnum,
    Estimate,
    EventsEnum,
    Export,
    ExportFormat,
    Freed,
    Gold,
    GoldCount,
    Guideline,
    GuidelineVersion,
    Holding,
    HubImport,
    Import,
    ImportAgreement,
    ImportFormat,
    ImportProblem,
    Invitation,
    ItemConsensus,
    ItemQuestion,
    Judgment,
    JudgmentEvent,
    JudgmentState,
    LedgerEntry,
    Lineage,
    LoadedSuites,
    Log,
    MadeGold,
    Matching,
    MeasuredRule,
    Model,
    ModelKind,
    ModelResponse,
    ModelStage,
    NewCurationKindEnum,
    NewExportShapeEnum,
    NewSnapshotKindEnum,
    NewSuiteShapeEnum,
    Node,
    OnboardingStep,
    OnboardingStepKind,
    OrderEnum,
    Payment,
    Person,
    Pool,
    PoolMember,
    PoolRate,
    PoolRateKind,
    PresetEnum,
    Preview,
    ProlificBonus,
    ProlificCost,
    ProlificStudy,
    ProlificSubmission,
    Prompt,
    PromptCategory,
    PromptLineage,
    PromptResponse,
    Publication,
    QualityRow,
    QueuedRun,
    Rater,
    RaterPair,
    RaterQuality,
    RaterSkills,
    ReasonEnum,
    RecipeEnum,
    RedTeaming,
    RedTeamingSuccess,
    RejectionCategoryEnum,
    Response,
    RestoredDocument,
    ReviewItem,
    ReviewRow,
    RolesEnum,
    RowFormat,
    Run,
    RunKind,
    Sample,
    Sampled,
    Schedule,
    Scorecard,
    ScoredModel,
    ScorerEnum,
    SensitiveEnum,
    SentInvitations,
    SentToRaters,
    SettleOutcomeEnum,
    Snapshot,
    StepAttempt,
    StepVersion,
    StoredResponses,
    StrategyEnum,
    StyleEnum,
    Suite,
    SuiteArea,
    SuiteItem,
    TemplateEnum,
    Timesheet,
    TimesheetLine,
    Touched,
    TriggerEnum,
    Verified,
    Waiting,
    Webhook,
    WebhookSecret,
    Withdrawal,
)


class Operations:
    @listing
    def list_appeals(self, *, is_answered: bool | None = None) -> Listing[Appeal]:
        """Raters' appeals against reviews."""
        return pages(Appeal, "appeals", is_answered=is_answered)

    @operation
    def read_appeal(self, appeal_id: int) -> Call[Appeal]:
        """One appeal."""
        return get(Appeal, f"appeals/{appeal_id}")

    @operation
    def answer_appeal(self, appeal_id: int, text: str) -> Call[Appeal]:
        """Answer it; the rater sees it under My work. A later answer replaces it."""
        return post(Appeal, f"appeals/{appeal_id}/answer", {"text": text})

    @listing
    def list_attacks(
        self, *, campaign: int | None = None, is_used: bool | None | None = None
    ) -> Listing[Attack]:
        """Attacks that have ended, newest first."""
        return pages(Attack, "attacks", campaign=campaign, is_used=is_used)

    @operation
    def read_attack(self, conversation: int) -> Call[Attack]:
        """One attack."""
        return get(Attack, f"attacks/{conversation}")

    @listing
    def list_attempts(
        self,
        *,
        pool: int | None = None,
        rater: int | None = None,
        state: Literal["waiting", "passed", "below", "refused"] | None = None,
        step: int | None = None,
    ) -> Listing[StepAttempt]:
        """Raters' attempts at onboarding steps, newest first."""
        return pages(StepAttempt, "attempts", pool=pool, rater=rater, state=state, step=step)

    @operation
    def read_attempt(self, attempt_id: int) -> Call[StepAttempt]:
        """One attempt with its answers."""
        return get(StepAttempt, f"attempts/{attempt_id}")

    @operation
    def decide_attempt(
        self, attempt_id: int, decision: DecisionEnum, *, words: str | Unset = UNSET
    ) -> Call[StepAttempt]:
        """Pass it, allow another attempt or fail it, whatever its score. The rater is
        notified.

        `words`: A message to the rater.
        """
        return post(
            StepAttempt,
            f"attempts/{attempt_id}/decide",
            {"decision": decision} | given({"words": words}),
        )

    @operation
    def score_attempt(self, attempt_id: int, scores: Sequence[int]) -> Call[StepAttempt]:
        """Score each demonstration. At the passing score the attempt passes, unless its step
        always needs a decision.

        `scores`: A score for each demonstration, in their order.
        """
        return post(StepAttempt, f"attempts/{attempt_id}/score", {"scores": scores})

    @listing
    def list_audit_events(
        self,
        *,
        action: str | None = None,
        by: str | None = None,
        since: datetime | None = None,
        target_id: int | None = None,
        target_type: str | None = None,
        until: datetime | None = None,
        words: str | None = None,
    ) -> Listing[AuditEvent]:
        """Who changed what, newest first, with the values before and after.

        `by`: Part of the person's name or e-mail address.

        `until`: Exclusive.

        `words`: In the object's name, before or after.
        """
        return pages(
            AuditEvent,
            "audit-events",
            action=action,
            by=by,
            since=since,
            target_id=target_id,
            target_type=target_type,
            until=until,
            words=words,
        )

    @listing
    def list_campaigns(
        self, *, state: Literal["draft", "open", "paused", "closed"] | None = None
    ) -> Listing[Campaign]:
        """Campaigns with their progress, newest first."""
        return pages(Campaign, "campaigns", state=state)

    @operation
    def create_campaign(
        self,
        *,
        name: str,
        kind: CampaignKind,
        pool: int,
        guideline: int,
        n_responses: int | Unset = UNSET,
        prompts: Mapping[str, Any] | Unset = UNSET,
        overlap: int | Unset = UNSET,
        lease_minutes: int | Unset = UNSET,
        priority: int | Unset = UNSET,
        asks_strength: bool | Unset = UNSET,
        asks_reason: bool | Unset = UNSET,
        min_words: int | Unset = UNSET,
        max_words: int | Unset = UNSET,
        max_overlap: int | Unset | None = UNSET,
        confidence: float | Unset = UNSET,
        budget_unit: str | Unset = UNSET,
        budget: str | Unset | None = UNSET,
        review_share: int | Unset = UNSET,
        gold_share: int | Unset = UNSET,
        gold_tolerance: int | Unset = UNSET,
        gold_min: int | Unset = UNSET,
        gold_warn_below: int | Unset = UNSET,
        gold_pause_below: int | Unset = UNSET,
        gold_feedback: bool | Unset = UNSET,
        asks_dialogue: bool | Unset = UNSET,
        order: OrderEnum | Unset = UNSET,
        calibration_percent: int | Unset = UNSET,
        repeat_percent: int | Unset = UNSET,
        conversation: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Campaign]:
        """Create a draft campaign with an item for each matching prompt. Open it to hand out
        items.

        `n_responses`: Required for comparisons and, from 2 to 4 answers a turn, for
        conversations; ignored otherwise.

        `overlap`: Number of answers per item.

        `lease_minutes`: How long an inactive rater keeps an item.

        `asks_strength`: Comparisons and conversations only.

        `asks_reason`: Comparisons and conversations only.

        `min_words`: Demonstrations only.

        `max_words`: Demonstrations only.

        `max_overlap`: Comparisons only: items on which raters disagree get more answers,
        up to this number.

        `confidence`: With `max_overlap`: stop when an item is this certain.

        `budget_unit`: Empty for no limit.

        `budget`: When it is spent, the campaign pauses.

        `review_share`: Percent of answers drawn at random for the review queue.

        `gold_share`: Percent of a rater's items that are gold items. 0 for none.

        `gold_tolerance`: Percent of a gold item's pairs that a ranking must match.

        `gold_min`: No warnings or pauses before this many gold items.

        `gold_warn_below`: Warn raters who pass a lower percentage. 0 for never.

        `gold_pause_below`: Pause raters who pass a lower percentage. 0 for never.

        `gold_feedback`: Show raters how they did on gold items after they answer.

        `asks_dialogue`: Demonstrations only: raters can continue after the answer, turn
        by turn.

        `calibration_percent`: Percent of items that every rater in the pool answers.

        `repeat_percent`: Comparisons only: percent of items shown again in reversed
        order.

        `conversation`: Required for conversations.
        """
        return post(
            Campaign,
            "campaigns",
            {"name": name, "kind": kind, "pool": pool, "guideline": guideline}
            | given(
                {
                    "n_responses": n_responses,
                    "prompts": prompts,
                    "overlap": overlap,
                    "lease_minutes": lease_minutes,
                    "priority": priority,
                    "asks_strength": asks_strength,
                    "asks_reason": asks_reason,
                    "min_words": min_words,
                    "max_words": max_words,
                    "max_overlap": max_overlap,
                    "confidence": confidence,
                    "budget_unit": budget_unit,
                    "budget": budget,
                    "review_share": review_share,
                    "gold_share": gold_share,
                    "gold_tolerance": gold_tolerance,
                    "gold_min": gold_min,
                    "gold_warn_below": gold_warn_below,
                    "gold_pause_below": gold_pause_below,
                    "gold_feedback": gold_feedback,
                    "asks_dialogue": asks_dialogue,
                    "order": order,
                    "calibration_percent": calibration_percent,
                    "repeat_percent": repeat_percent,
                    "conversation": conversation,
                }
            ),
        )

    @operation
    def read_campaign(self, campaign_id: int) -> Call[Campaign]:
        """One campaign with its progress."""
        return get(Campaign, f"campaigns/{campaign_id}")

    @operation
    def change_campaign(
        self,
        campaign_id: int,
        *,
        overlap: int | Unset = UNSET,
        lease_minutes: int | Unset = UNSET,
        priority: int | Unset = UNSET,
        asks_strength: bool | Unset = UNSET,
        asks_reason: bool | Unset = UNSET,
        min_words: int | Unset = UNSET,
        max_words: int | Unset = UNSET,
        max_overlap: int | Unset | None = UNSET,
        confidence: float | Unset = UNSET,
        budget_unit: str | Unset = UNSET,
        budget: str | Unset | None = UNSET,
        review_share: int | Unset = UNSET,
        gold_share: int | Unset = UNSET,
        gold_tolerance: int | Unset = UNSET,
        gold_min: int | Unset = UNSET,
        gold_warn_below: int | Unset = UNSET,
        gold_pause_below: int | Unset = UNSET,
        gold_feedback: bool | Unset = UNSET,
        guideline: int | Unset = UNSET,
        conversation: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Campaign]:
        """Change its settings, from the next item that a rater takes. 409 if it is closed.

        `overlap`: Number of answers per item.

        `lease_minutes`: How long an inactive rater keeps an item.

        `asks_strength`: Comparisons and conversations only.

        `asks_reason`: Comparisons and conversations only.

        `min_words`: Demonstrations only.

        `max_words`: Demonstrations only.

        `max_overlap`: Comparisons only: items on which raters disagree get more answers,
        up to this number.

        `confidence`: With `max_overlap`: stop when an item is this certain.

        `budget_unit`: Empty for no limit.

        `budget`: When it is spent, the campaign pauses.

        `review_share`: Percent of answers drawn at random for the review queue.

        `gold_share`: Percent of a rater's items that are gold items. 0 for none.

        `gold_tolerance`: Percent of a gold item's pairs that a ranking must match.

        `gold_min`: No warnings or pauses before this many gold items.

        `gold_warn_below`: Warn raters who pass a lower percentage. 0 for never.

        `gold_pause_below`: Pause raters who pass a lower percentage. 0 for never.

        `gold_feedback`: Show raters how they did on gold items after they answer.

        `guideline`: Takes effect with its newest version. Answers keep the version they
        were given.

        `conversation`: Conversations only.
        """
        return patch(
            Campaign,
            f"campaigns/{campaign_id}",
            given(
                {
                    "overlap": overlap,
                    "lease_minutes": lease_minutes,
                    "priority": priority,
                    "asks_strength": asks_strength,
                    "asks_reason": asks_reason,
                    "min_words": min_words,
                    "max_words": max_words,
                    "max_overlap": max_overlap,
                    "confidence": confidence,
                    "budget_unit": budget_unit,
                    "budget": budget,
                    "review_share": review_share,
                    "gold_share": gold_share,
                    "gold_tolerance": gold_tolerance,
                    "gold_min": gold_min,
                    "gold_warn_below": gold_warn_below,
                    "gold_pause_below": gold_pause_below,
                    "gold_feedback": gold_feedback,
                    "guideline": guideline,
                    "conversation": conversation,
                }
            ),
        )

    @operation
    def discard_campaign(self, campaign_id: int) -> Call[None]:
        """Delete a draft and free its prompts for other campaigns. 409 if it was ever
        opened.
        """
        return delete(f"campaigns/{campaign_id}")

    @operation
    def read_campaign_agreement(self, campaign_id: int) -> Call[Agreement]:
        """How far its raters agree, in pairs, orders and answers, by group and with others."""
        return get(Agreement, f"campaigns/{campaign_id}/agreement")

    @operation
    def read_campaign_bias(self, campaign_id: int) -> Call[Bias]:
        """What choices depend on besides quality: position, length, looks, wording."""
        return get(Bias, f"campaigns/{campaign_id}/bias")

    @operation
    def close_campaign(self, campaign_id: int) -> Call[Campaign]:
        """Stop handing out items for good. Raters can still submit items they have open."""
        return post(Campaign, f"campaigns/{campaign_id}/close")

    @listing
    def list_campaign_consensus(self, campaign_id: int) -> Listing[ItemConsensus]:
        """What the answers to each item say together, by majority and weighted, newest items
        first.
        """
        return pages(ItemConsensus, f"campaigns/{campaign_id}/consensus")

    @listing
    def list_campaign_items(
        self,
        campaign_id: int,
        *,
        reason: Literal["not_my_field", "prompt_unclear", "offensive", "technical"] | None = None,
        status: Literal[
            "untouched", "started", "finished", "skipped", "calibration", "repeats", "held"
        ]
        | None = None,
    ) -> Listing[CampaignItem]:
        """Its items with their progress, newest first. The answers are in `GET /judgments`.

        `reason`: Only items that somebody skipped for this reason.
        """
        return pages(CampaignItem, f"campaigns/{campaign_id}/items", reason=reason, status=status)

    @operation
    def open_campaign(self, campaign_id: int) -> Call[Campaign]:
        """Start handing out items. Changes nothing if it is already open or closed: check
        `state`.
        """
        return post(Campaign, f"campaigns/{campaign_id}/open")

    @operation
    def pause_campaign(self, campaign_id: int) -> Call[Campaign]:
        """Stop handing out items for now. Changes nothing unless it is open."""
        return post(Campaign, f"campaigns/{campaign_id}/pause")

    @operation
    def pause_rater_in_campaign(self, campaign_id: int, rater: int) -> Call[CampaignStanding]:
        """Give the rater no more items of this campaign, and send their recent answers in it
        to review. Changes nothing if they are paused already.

        `rater`: The ID of a rater.
        """
        return post(CampaignStanding, f"campaigns/{campaign_id}/pause-rater", {"rater": rater})

    @operation
    def compute_campaign_quality(self, campaign_id: int) -> Call[Computing]:
        """Have a worker compute the report now: read it again in a few seconds. 409 if no
        worker can be reached.
        """
        return post(Computing, f"campaigns/{campaign_id}/quality")

    @listing
    def list_campaign_rater_pairs(
        self, campaign_id: int, *, question: str | None = None
    ) -> Listing[RaterPair]:
        """Agreement and Cohen's κ of every two raters, those that share the most first.

        `question`: A question of the form by its name. Without it: choices between
        responses.
        """
        return pages(RaterPair, f"campaigns/{campaign_id}/rater-pairs", question=question)

    @listing
    def list_campaign_rater_quality(self, campaign_id: int) -> Listing[RaterQuality]:
        """Each rater's agreement, reliability, habits and reasons to check, flagged ones
        first.
        """
        return pages(RaterQuality, f"campaigns/{campaign_id}/rater-quality")

    @operation
    def reopen_campaign(self, campaign_id: int) -> Call[Campaign]:
        """Hand out the remaining items of a closed campaign again, with the newest version
        of its guideline. Changes nothing unless it is closed.
        """
        return post(Campaign, f"campaigns/{campaign_id}/reopen")

    @operation
    def resume_rater_in_campaign(self, campaign_id: int, rater: int) -> Call[CampaignStanding]:
        """Give the rater items of this campaign again. Gold items answered before will not
        pause them again. 409 if they are not paused.

        `rater`: The ID of a rater.
        """
        return post(CampaignStanding, f"campaigns/{campaign_id}/resume-rater", {"rater": rater})

    @listing
    def list_review_queue(
        self,
        campaign_id: int,
        *,
        order: Literal["disagreement", "fast", "new", "random", "paused", "pasted"] | None = None,
    ) -> Listing[ReviewRow]:
        """Items whose answers wait for review, most urgent first.

        `order`: All but the first two also filter. Leave it out for the page's own.
        """
        return pages(ReviewRow, f"campaigns/{campaign_id}/review", order=order)

    @operation
    def read_review_item(
        self, campaign_id: int, item: int, *, names: Literal["hidden", "shown"] | None = None
    ) -> Call[ReviewItem]:
        """One item with its responses, every answer, and the decision. Raters are numbers
        unless you ask for their pseudonyms.

        `names`: Raters by number or pseudonym.
        """
        return get(ReviewItem, f"campaigns/{campaign_id}/review/{item}", names=names)

    @operation
    def decide_review(
        self,
        campaign_id: int,
        item: int,
        *,
        ranks: Mapping[str, int | None] | Unset = UNSET,
        reason: ReasonEnum | Unset = UNSET,
        note: str | Unset = UNSET,
        promotes: bool | Unset = UNSET,
        scores: Mapping[str, int | None] | Unset = UNSET,
        feedback: Mapping[str, str] | Unset = UNSET,
        feedback_to_all: str | Unset = UNSET,
    ) -> Call[ReviewItem]:
        """Decide the order of an item, or score its demonstrations, and give its raters
        feedback. A later decision replaces it.

        `ranks`: Response → rank, 1 the best; equal is a tie.

        `reason`: Comparisons only, required: why raters disagreed.

        `note`: Why this ranking is right.

        `promotes`: Also make this ranking a gold item.

        `scores`: Judgment → score from 1 to 7.

        `feedback`: Judgment → feedback to its rater.

        `feedback_to_all`: For every rater of the item without feedback of their own.
        """
        return post(
            ReviewItem,
            f"campaigns/{campaign_id}/review/{item}",
            given(
                {
                    "ranks": ranks,
                    "reason": reason,
                    "note": note,
                    "promotes": promotes,
                    "scores": scores,
                    "feedback": feedback,
                    "feedback_to_all": feedback_to_all,
                }
            ),
        )

    @operation
    def count_prompts_for_campaign(
        self,
        kind: CampaignKind,
        *,
        n_responses: int | Unset = UNSET,
        prompts: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Matching]:
        """How many prompts a campaign with this selection would use. Nothing is created.

        `n_responses`: Required for comparisons and, from 2 to 4 answers a turn, for
        conversations; ignored otherwise.
        """
        return post(
            Matching,
            "campaigns/count",
            {"kind": kind} | given({"n_responses": n_responses, "prompts": prompts}),
        )

    @listing
    def list_cases(
        self,
        *,
        is_settled: bool | None = None,
        queue: Literal["repair", "safety", "technical"] | None = None,
    ) -> Listing[Case]:
        """Items that raters skipped for a reason."""
        return pages(Case, "cases", is_settled=is_settled, queue=queue)

    @operation
    def read_case(self, case_id: int) -> Call[Case]:
        """One case."""
        return get(Case, f"cases/{case_id}")

    @operation
    def own_case(self, case_id: int, *, is_mine: bool | Unset = UNSET) -> Call[Case]:
        """Take it, or release it.

        `is_mine`: False releases it.
        """
        return post(Case, f"cases/{case_id}/own", given({"is_mine": is_mine}))

    @operation
    def settle_case(
        self, case_id: int, outcome: SettleOutcomeEnum, *, note: str | Unset = UNSET
    ) -> Call[Case]:
        """Resolve it. The item is available again, but not to raters who skipped it.

        `outcome`: Changing or retiring the prompt settles its cases too.
        """
        return post(Case, f"cases/{case_id}/settle", {"outcome": outcome} | given({"note": note}))

    @operation
    def count_waiting(self) -> Call[Waiting]:
        """How many open cases, questions and onboarding answers there are."""
        return get(Waiting, "cases/waiting")

    @listing
    def list_chains(
        self,
        *,
        schedule: int | None = None,
        state: Literal["going", "approval", "failed", "stopped", "finished"] | None = None,
    ) -> Listing[Chain]:
        """Chains, newest first, with the steps of each."""
        return pages(Chain, "chains", schedule=schedule, state=state)

    @operation
    def read_chain(self, chain_id: int) -> Call[Chain]:
        """One chain: its progress and what each step produced."""
        return get(Chain, f"chains/{chain_id}")

    @operation
    def approve_chain(self, chain_id: int) -> Call[Chain]:
        """Approve the pending step. 409 if no step is pending."""
        return post(Chain, f"chains/{chain_id}/approve")

    @operation
    def decide_chain(self, chain_id: int, promotes: bool) -> Call[Chain]:
        """Decide whether the new model becomes the schedule's current model. 409 if no gate
        is open.

        `promotes`: Whether the new model becomes the schedule's current model.
        """
        return post(Chain, f"chains/{chain_id}/decide", {"promotes": promotes})

    @operation
    def resume_chain(self, chain_id: int, *, anew: bool | Unset = UNSET) -> Call[Chain]:
        """Resume at the failed step; results of earlier steps are kept.

        `anew`: Start the step from scratch, even if its stopped run saved a model to
        continue from.
        """
        return post(Chain, f"chains/{chain_id}/resume", given({"anew": anew}))

    @operation
    def stop_chain(self, chain_id: int) -> Call[Chain]:
        """End a chain for good; its current run saves and stops. Changes nothing if it has
        already ended.
        """
        return post(Chain, f"chains/{chain_id}/stop")

    @listing
    def list_conversations(
        self, *, campaign: int | None = None, state: Literal["open", "finished"] | None = None
    ) -> Listing[Conversation]:
        """Conversations of raters with models, newest first, with their turns."""
        return pages(Conversation, "conversations", campaign=campaign, state=state)

    @operation
    def read_conversation(self, conversation_id: int) -> Call[Conversation]:
        """One conversation with its turns."""
        return get(Conversation, f"conversations/{conversation_id}")

    @listing
    def list_crowd_links(self, *, campaign: int | None = None) -> Listing[CrowdLink]:
        """Crowd links, newest first."""
        return pages(CrowdLink, "crowd-links", campaign=campaign)

    @operation
    def create_crowd_link(
        self,
        *,
        campaign: int,
        name: str,
        completion_code: str,
        id_parameter: str | Unset = UNSET,
        return_url: str | Unset = UNSET,
        n_items: int | Unset = UNSET,
        n_places: int | Unset = UNSET,
        max_minutes: int | Unset = UNSET,
    ) -> Call[CrowdLink]:
        """Create a link that makes any worker whom the platform sends a rater of the
        campaign's pool.

        `campaign`: A campaign that is not closed.

        `completion_code`: Workers see it after `n_items` items.

        `id_parameter`: The URL parameter in which the platform sends the worker's ID.

        `return_url`: The platform's page that accepts the completion code.

        `n_places`: Counts visits in progress and completed ones.

        `max_minutes`: A visit ends after this time.
        """
        return post(
            CrowdLink,
            "crowd-links",
            {"campaign": campaign, "name": name, "completion_code": completion_code}
            | given(
                {
                    "id_parameter": id_parameter,
                    "return_url": return_url,
                    "n_items": n_items,
                    "n_places": n_places,
                    "max_minutes": max_minutes,
                }
            ),
        )

    @operation
    def read_crowd_link(self, crowd_link_id: int) -> Call[CrowdLink]:
        """One crowd link."""
        return get(CrowdLink, f"crowd-links/{crowd_link_id}")

    @operation
    def close_crowd_link(self, crowd_link_id: int) -> Call[CrowdLink]:
        """Accept no new visits. Visits in progress continue."""
        return post(CrowdLink, f"crowd-links/{crowd_link_id}/close")

    @listing
    def list_curations(self) -> Listing[Curation]:
        """Curations, newest first."""
        return pages(Curation, "curations")

    @operation
    def start_curation(
        self,
        *,
        name: str,
        kind: NewCurationKindEnum,
        recipe: RecipeEnum,
        makes_snapshot: bool | Unset = UNSET,
        documents: str | Unset = UNSET,
        licence: str | Unset = UNSET,
        min_characters: int | Unset = UNSET,
        filters: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Curation]:
        """Apply a recipe to documents. Nothing is frozen before you ask for the snapshot.

        `makes_snapshot`: Make the snapshot without waiting for a decision.

        `documents`: Kind `text`: one JSON object with a `text` per line.

        `licence`: Kind `text`: the licence of the documents.

        `filters`: Other kinds: which rows.
        """
        return post(
            Curation,
            "curations",
            {"name": name, "kind": kind, "recipe": recipe}
            | given(
                {
                    "makes_snapshot": makes_snapshot,
                    "documents": documents,
                    "licence": licence,
                    "min_characters": min_characters,
                    "filters": filters,
                }
            ),
        )

    @operation
    def read_curation(self, curation_id: int) -> Call[Curation]:
        """One curation: its state, and what the recipe did. Poll it until it is `ready`."""
        return get(Curation, f"curations/{curation_id}")

    @operation
    def discard_curation(self, curation_id: int) -> Call[Curation]:
        """Stop it and delete its files."""
        return post(Curation, f"curations/{curation_id}/discard")

    @listing
    def list_curation_ledger(
        self, curation_id: int, *, rule: str | None = None
    ) -> Listing[LedgerEntry]:
        """What the recipe would remove or change, and why. Empty before the preview is
        ready.

        `rule`: Only what this rule removed or changed.
        """
        return pages(LedgerEntry, f"curations/{curation_id}/ledger", rule=rule)

    @operation
    def rate_curation_rule(
        self,
        curation_id: int,
        *,
        rule: str,
        pool: int,
        n: int | Unset = UNSET,
        overlap: int | Unset = UNSET,
    ) -> Call[MeasuredRule]:
        """Open a campaign in which raters say of documents that a rule removed, and of
        others that the recipe kept, whether they should be removed.

        `rule`: As in the ledger.
        """
        return post(
            MeasuredRule,
            f"curations/{curation_id}/rate",
            {"rule": rule, "pool": pool} | given({"n": n, "overlap": overlap}),
        )

    @operation
    def list_measured_rules(self, curation_id: int) -> Call[list[MeasuredRule]]:
        """What raters have said so far of the rules of its recipe."""
        return get(list[MeasuredRule], f"curations/{curation_id}/rates")

    @operation
    def restore_document(self, curation_id: int, document: str) -> Call[RestoredDocument]:
        """Keep a removed document whenever this recipe runs again. Safe to repeat.

        `document`: An `id` of the ledger.
        """
        return post(RestoredDocument, f"curations/{curation_id}/restore", {"document": document})

    @operation
    def make_curation_snapshot(self, curation_id: int) -> Call[Curation]:
        """Freeze what the recipe kept, with the documents restored meanwhile."""
        return post(Curation, f"curations/{curation_id}/snapshot")

    @operation
    def update_curation(self, curation_id: int) -> Call[Curation]:
        """Make the preview again, with the documents restored meanwhile."""
        return post(Curation, f"curations/{curation_id}/update_preview")

    @operation
    def read_webhook_delivery(self, delivery_id: int) -> Call[Delivery]:
        """One message to a webhook, with the result of the last attempt."""
        return get(Delivery, f"deliveries/{delivery_id}")

    @operation
    def redeliver_webhook_message(self, delivery_id: int) -> Call[Delivery]:
        """Send it again within a few seconds, as if it were new. 409 while it is pending or
        its webhook is disabled.
        """
        return post(Delivery, f"deliveries/{delivery_id}/redeliver")

    @listing
    def list_exports(self, *, campaign: int | None = None) -> Listing[Export]:
        """Exports, newest first."""
        return pages(Export, "exports", campaign=campaign)

    @operation
    def create_export(
        self,
        shape: NewExportShapeEnum,
        *,
        campaign: int | Unset = UNSET,
        style: StyleEnum | Unset = UNSET,
        format: ExportFormat | Unset = UNSET,
        includes_extra: bool | Unset = UNSET,
        includes_repeats: bool | Unset = UNSET,
        includes_imports: bool | Unset = UNSET,
        licences: Sequence[str] | Unset = UNSET,
    ) -> Call[Export]:
        """Request an export. A worker writes it: read it again until its state is `done`.

        `campaign`: Omit it to export all judgments.

        `style`: Whether conversations are lists of messages or texts.

        `format`: `json` is for the files of Label Studio and Argilla.

        `includes_extra`: Late answers.

        `includes_repeats`: The same item shown to the same rater again.

        `includes_imports`: Imported judgments too. They belong to no campaign.

        `licences`: Only rows whose texts are all under one of these. An empty name
        includes prompts whose licence is not stated.
        """
        return post(
            Export,
            "exports",
            {"shape": shape}
            | given(
                {
                    "campaign": campaign,
                    "style": style,
                    "format": format,
                    "includes_extra": includes_extra,
                    "includes_repeats": includes_repeats,
                    "includes_imports": includes_imports,
                    "licences": licences,
                }
            ),
        )

    @operation
    def read_export(self, export_id: int) -> Call[Export]:
        """One export: its state, what it left out, and its card."""
        return get(Export, f"exports/{export_id}")

    @download
    def download_export(self, export_id: int, path: str | PathLike[str]) -> Download:
        """Download the ZIP archive: README.md and the rows of each split. Files are kept for
        30 days.
        """
        return fetch(f"exports/{export_id}/file", path)

    @listing
    def list_golds(self, *, campaign: int | None = None) -> Listing[Gold]:
        """Gold items, newest first. Raters must not see them."""
        return pages(Gold, "golds", campaign=campaign)

    @operation
    def create_gold(self, judgment: int, *, note: str | Unset = UNSET) -> Call[Gold]:
        """Turn an expert's ranking into a gold item of its campaign. The item itself takes
        no more answers.

        `judgment`: An expert's ranking of a campaign's item, which becomes its correct
        order.

        `note`: Why this order is right. Raters see it if feedback is on.
        """
        return post(Gold, "golds", {"judgment": judgment} | given({"note": note}))

    @operation
    def read_gold(self, gold_id: int) -> Call[Gold]:
        """One gold item."""
        return get(Gold, f"golds/{gold_id}")

    @operation
    def bring_back_gold(self, gold_id: int) -> Call[Gold]:
        """Use a retired gold item again. 409 if another one has been made from its item
        since.
        """
        return post(Gold, f"golds/{gold_id}/bring-back")

    @operation
    def retire_gold(self, gold_id: int) -> Call[Gold]:
        """Stop using it, in every campaign. Its answers no longer count. Changes nothing if
        it is retired.
        """
        return post(Gold, f"golds/{gold_id}/retire")

    @operation
    def import_golds(self, *, campaign: int, golds: Sequence[Mapping[str, Any]]) -> Call[GoldCount]:
        """Add gold items: all of them or, if one is wrong, none. `errors` has every problem
        by its row.

        `campaign`: A comparison campaign.

        `golds`: Each with `prompt` (a text or messages), `responses` (as many texts as
        the campaign compares), `ranks` (a number for each response: 1 is best, equal
        numbers tie, null is left open) and optionally `note`.
        """
        return post(GoldCount, "golds/import", {"campaign": campaign, "golds": golds})

    @operation
    def use_other_golds(self, campaign: int) -> Call[GoldCount]:
        """Use every gold item of other campaigns with as many responses in this campaign
        too.

        `campaign`: A comparison campaign.
        """
        return post(GoldCount, "golds/use", {"campaign": campaign})

    @listing
    def list_guidelines(self) -> Listing[Guideline]:
        """Guidelines, newest first. A campaign needs the id of one."""
        return pages(Guideline, "guidelines")

    @operation
    def create_guideline(
        self,
        *,
        name: str,
        text: str,
        questions: Sequence[Mapping[str, Any]] | Unset = UNSET,
        examples: Sequence[Mapping[str, Any]] | Unset = UNSET,
    ) -> Call[Guideline]:
        """Create a guideline with its first version.

        `text`: Markdown.
        """
        return post(
            Guideline,
            "guidelines",
            {"name": name, "text": text} | given({"questions": questions, "examples": examples}),
        )

    @operation
    def read_guideline(self, guideline_id: int) -> Call[Guideline]:
        """One guideline. Its texts are in its versions."""
        return get(Guideline, f"guidelines/{guideline_id}")

    @listing
    def list_guideline_versions(
        self, guideline_id: int, *, number: int | None = None
    ) -> Listing[GuidelineVersion]:
        """Its versions with text, rating form and examples, newest first.

        `number`: Only the version of this number.
        """
        return pages(GuidelineVersion, f"guidelines/{guideline_id}/versions", number=number)

    @operation
    def create_guideline_version(
        self,
        guideline_id: int,
        *,
        questions: Sequence[Mapping[str, Any]] | Unset = UNSET,
        examples: Sequence[Mapping[str, Any]] | Unset = UNSET,
        text: str | Unset = UNSET,
        is_major: bool | Unset = UNSET,
    ) -> Call[GuidelineVersion]:
        """Add the next version. It takes effect at once for every campaign of the guideline
        that is not closed; items that raters hold keep the version they were shown.

        `text`: Markdown.

        `is_major`: Raters whose pool has an onboarding step on this guideline repeat it
        before their next item.
        """
        return post(
            GuidelineVersion,
            f"guidelines/{guideline_id}/versions",
            given(
                {"questions": questions, "examples": examples, "text": text, "is_major": is_major}
            ),
        )

    @listing
    def list_hub_imports(self) -> Listing[HubImport]:
        """Imports from a hub, newest first."""
        return pages(HubImport, "hub-imports")

    @operation
    def import_from_hub(
        self,
        repository: str,
        *,
        config: str | Unset = UNSET,
        split: str | Unset = UNSET,
        revision: str | Unset = UNSET,
        source: str | Unset = UNSET,
        licence: str | Unset = UNSET,
        format: str | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
        is_strict: bool | Unset = UNSET,
    ) -> Call[HubImport]:
        """Import a data set by its name on a hub. A worker downloads it, or takes it from
        its local cache, and queues the import.

        `repository`: As owner/name.

        `split`: Omit it for all.

        `source`: A name for the origin of the data. Omit it to use the repository.

        `licence`: Omit it to use that of the card.

        `format`: Omit it to have it found.
        """
        return post(
            HubImport,
            "hub-imports",
            {"repository": repository}
            | given(
                {
                    "config": config,
                    "split": split,
                    "revision": revision,
                    "source": source,
                    "licence": licence,
                    "format": format,
                    "with_judgments": with_judgments,
                    "is_strict": is_strict,
                }
            ),
        )

    @operation
    def read_hub_import(self, hub_import_id: int) -> Call[HubImport]:
        """One import from a hub: its download, and the import that follows."""
        return get(HubImport, f"hub-imports/{hub_import_id}")

    @listing
    def list_imports(
        self,
        *,
        state: Literal["queued", "running", "published", "refused", "discarded"] | None = None,
    ) -> Listing[Import]:
        """Imports, newest first."""
        return pages(Import, "imports", state=state)

    @operation
    def create_import(
        self,
        *,
        rows: Sequence[Mapping[str, Any]],
        source: str,
        licence: str,
        format: ImportFormat | Unset = UNSET,
        columns: Mapping[str, str] | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
        name: str | Unset = UNSET,
        campaign: str | Unset = UNSET,
        roles: Mapping[str, str] | Unset = UNSET,
        legend: Mapping[str, str] | Unset = UNSET,
        texts: Sequence[Mapping[str, Any]] | Unset = UNSET,
        is_strict: bool | Unset = UNSET,
    ) -> Call[Import]:
        """Send a file or rows to be imported by a worker. Read the import until
        `finished_at` is set. Nothing is visible before all of it has been read.

        `format`: See Importing data in the docs; `annotations` is a table of answers.

        `columns`: Name that is read, such as `prompt` → heading in the file.

        `with_judgments`: Import human replies as demonstrations and rankings as
        comparisons.

        `rows`: Rows of one shape, as a line of a JSONL file has them.

        `name`: Shown in the list of imports.

        `source`: A name for the origin of the data. Raters never see it.

        `licence`: SPDX, such as CC-BY-4.0. A row's own licence comes first.

        `campaign`: Put the answers of its raters into a campaign of this name.

        `roles`: For a table of answers: heading → what the column is. Left out, it is
        found.

        `legend`: For a table of votes: value → which response is better.

        `texts`: For a table of answers: rows with the texts of its items, by their IDs.

        `is_strict`: Publish nothing if any line has a problem.
        """
        return post(
            Import,
            "imports",
            {"rows": rows, "source": source, "licence": licence}
            | given(
                {
                    "format": format,
                    "columns": columns,
                    "with_judgments": with_judgments,
                    "name": name,
                    "campaign": campaign,
                    "roles": roles,
                    "legend": legend,
                    "texts": texts,
                    "is_strict": is_strict,
                }
            ),
        )

    @operation
    def create_import_from_file(
        self,
        file: str | PathLike[str],
        *,
        source: str,
        licence: str,
        format: ImportFormat | Unset = UNSET,
        columns: Mapping[str, str] | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
        campaign: str | Unset = UNSET,
        roles: Mapping[str, str] | Unset = UNSET,
        legend: Mapping[str, str] | Unset = UNSET,
        texts: str | PathLike[str] | Unset = UNSET,
        is_strict: bool | Unset = UNSET,
    ) -> Call[Import]:
        """Send a file or rows to be imported by a worker. Read the import until
        `finished_at` is set. Nothing is visible before all of it has been read.

        `format`: See Importing data in the docs; `annotations` is a table of answers.

        `columns`: Name that is read, such as `prompt` → heading in the file.

        `with_judgments`: Import human replies as demonstrations and rankings as
        comparisons.

        `file`: JSON lines, JSON, CSV, TSV, Parquet or XLSX, also as gzip or ZIP.

        `source`: A name for the origin of the data. Raters never see it.

        `licence`: SPDX, such as CC-BY-4.0. A row's own licence comes first.

        `campaign`: Put the answers of its raters into a campaign of this name.

        `roles`: For a table of answers: heading → what the column is. Left out, it is
        found.

        `legend`: For a table of votes: value → which response is better.

        `texts`: A second file with the texts of the items, by their IDs.

        `is_strict`: Publish nothing if any line has a problem.
        """
        return upload(
            Import,
            "imports",
            {"file": file, "texts": texts},
            {"source": source, "licence": licence}
            | given(
                {
                    "format": format,
                    "columns": columns,
                    "with_judgments": with_judgments,
                    "campaign": campaign,
                    "roles": roles,
                    "legend": legend,
                    "is_strict": is_strict,
                }
            ),
        )

    @operation
    def read_import(self, import_id: int) -> Call[Import]:
        """One import and how far it is."""
        return get(Import, f"imports/{import_id}")

    @operation
    def read_import_agreement(self, import_id: int) -> Call[ImportAgreement]:
        """How far the raters agree whose comparisons it brought, as its page says."""
        return get(ImportAgreement, f"imports/{import_id}/agreement")

    @operation
    def discard_import(self, import_id: int) -> Call[Import]:
        """Remove everything that it brought, for good. 409 if something uses it."""
        return post(Import, f"imports/{import_id}/discard")

    @listing
    def list_import_problems(self, import_id: int) -> Listing[ImportProblem]:
        """Its problems by line. The first 5,000 are kept; `n_problems` counts all of them."""
        return pages(ImportProblem, f"imports/{import_id}/problems")

    @operation
    def publish_import(self, import_id: int) -> Call[Import]:
        """Publish a rejected import despite its problems. 409 if there is nothing to
        publish.
        """
        return post(Import, f"imports/{import_id}/publish")

    @operation
    def preview_import(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        format: RowFormat | Unset = UNSET,
        columns: Mapping[str, str] | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
        name: str | Unset = UNSET,
    ) -> Call[Preview]:
        """The first rows as they would be stored, and their problems. Nothing is stored.

        `format`: See Importing data in the docs.

        `columns`: Name that is read, such as `prompt` → heading in the file.

        `with_judgments`: Import human replies as demonstrations and rankings as
        comparisons.

        `rows`: Rows of one shape, as a line of a JSONL file has them.

        `name`: Shown in the list of imports.
        """
        return post(
            Preview,
            "imports/preview",
            {"rows": rows}
            | given(
                {
                    "format": format,
                    "columns": columns,
                    "with_judgments": with_judgments,
                    "name": name,
                }
            ),
        )

    @operation
    def preview_import_from_file(
        self,
        file: str | PathLike[str],
        *,
        format: RowFormat | Unset = UNSET,
        columns: Mapping[str, str] | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
    ) -> Call[Preview]:
        """The first rows as they would be stored, and their problems. Nothing is stored.

        `format`: See Importing data in the docs.

        `columns`: Name that is read, such as `prompt` → heading in the file.

        `with_judgments`: Import human replies as demonstrations and rankings as
        comparisons.

        `file`: JSON lines, JSON, CSV, TSV, Parquet or XLSX, also as gzip or ZIP.
        """
        return upload(
            Preview,
            "imports/preview",
            {"file": file},
            given({"format": format, "columns": columns, "with_judgments": with_judgments}),
        )

    @listing
    def list_invitations(
        self,
        *,
        pool: int | None = None,
        state: Literal["waits", "accepted", "expired", "revoked"] | None = None,
    ) -> Listing[Invitation]:
        """Invitations to pools, newest first."""
        return pages(Invitation, "invitations", pool=pool, state=state)

    @operation
    def create_invitations(
        self, *, pool: int, people: Sequence[Mapping[str, Any]]
    ) -> Call[SentInvitations]:
        """Invite people to rate in a pool, and mail each a link. Somebody with an open
        invitation gets a new link.
        """
        return post(SentInvitations, "invitations", {"pool": pool, "people": people})

    @operation
    def read_invitation(self, invitation_id: int) -> Call[Invitation]:
        """One invitation."""
        return get(Invitation, f"invitations/{invitation_id}")

    @operation
    def resend_invitation(self, invitation_id: int) -> Call[SentInvitations]:
        """Mail a new link; the old one stops working. 409 if it was accepted or revoked."""
        return post(SentInvitations, f"invitations/{invitation_id}/resend")

    @operation
    def revoke_invitation(self, invitation_id: int) -> Call[Invitation]:
        """Its link stops working. Changes nothing if it was accepted or revoked: check
        `state`.
        """
        return post(Invitation, f"invitations/{invitation_id}/revoke")

    @listing
    def list_judgment_events(self, *, cursor: int = 0) -> Listing[JudgmentEvent]:
        """Judgments that stopped counting or count again, oldest first. Save `next_cursor`
        and use it later to get new ones. Starts after the id `cursor`.
        """
        return feed(JudgmentEvent, "judgment-events", cursor=cursor)

    @listing
    def list_judgments(
        self,
        *,
        cursor: int = 0,
        campaign: int | None = None,
        includes_imports: bool | None = None,
        licence: str | None = None,
        since: datetime | None = None,
    ) -> Listing[Judgment]:
        """Judgments, oldest first. Save `next_cursor` and use it later to get new ones.
        Starts after the id `cursor`.

        `includes_imports`: Include imported judgments. They keep the ids they had before
        their import was published.

        `licence`: Only judgments whose texts are all under one of these licences,
        separated by commas, such as `CC-BY-4.0,MIT`. `none` includes prompts whose
        licence is not stated.

        `since`: Only judgments submitted at or after this time.
        """
        return feed(
            Judgment,
            "judgments",
            cursor=cursor,
            campaign=campaign,
            includes_imports=includes_imports,
            licence=licence,
            since=since,
        )

    @operation
    def make_judgment_gold(self, judgment_id: int) -> Call[MadeGold]:
        """Make an expert's ranking a gold item of its campaign."""
        return post(MadeGold, f"judgments/{judgment_id}/gold")

    @operation
    def restore_judgment(self, judgment_id: int) -> Call[JudgmentState]:
        """Let an answer that was set aside count again. Changes nothing if it counts."""
        return post(JudgmentState, f"judgments/{judgment_id}/restore")

    @operation
    def set_judgment_aside(
        self, judgment_id: int, *, reason: str | Unset = UNSET
    ) -> Call[JudgmentState]:
        """Leave an answer out of agreement, training and exports. It stays paid, and its
        rater is notified and can appeal. Changes nothing if it is set aside.

        `reason`: For reviewers only.
        """
        return post(JudgmentState, f"judgments/{judgment_id}/set-aside", given({"reason": reason}))

    @operation
    def read_campaign_lineage(self, campaign_id: int) -> Call[CampaignLineage]:
        """What was asked in a campaign, and what came of it."""
        return get(CampaignLineage, f"lineage/campaigns/{campaign_id}")

    @operation
    def read_prompt_lineage(self, prompt_id: int) -> Call[PromptLineage]:
        """A prompt, where it was used, and how many answered."""
        return get(PromptLineage, f"lineage/prompts/{prompt_id}")

    @listing
    def list_prompt_responses(self, prompt_id: int) -> Listing[PromptResponse]:
        """Every response to the prompt, by source, with its model."""
        return pages(PromptResponse, f"lineage/prompts/{prompt_id}/responses")

    @listing
    def list_models(self, *, kind: Literal["policy", "reward"] | None = None) -> Listing[Model]:
        """Models, newest first."""
        return pages(Model, "models", kind=kind)

    @operation
    def register_model(
        self,
        *,
        name: str,
        location: str,
        kind: ModelKind | Unset = UNSET,
        is_elsewhere: bool | Unset = UNSET,
        licence: str | Unset = UNSET,
        notes: str | Unset = UNSET,
    ) -> Call[Model]:
        """Register a base model.

        `location`: The full path of a folder, or a hub name such as owner/model.

        `is_elsewhere`: The folder exists on the GPU nodes only.
        """
        return post(
            Model,
            "models",
            {"name": name, "location": location}
            | given(
                {"kind": kind, "is_elsewhere": is_elsewhere, "licence": licence, "notes": notes}
            ),
        )

    @operation
    def read_model(self, model_id: int) -> Call[Model]:
        """One model."""
        return get(Model, f"models/{model_id}")

    @operation
    def update_model(
        self,
        model_id: int,
        *,
        stage: ModelStage | Unset = UNSET,
        licence: str | Unset = UNSET,
        notes: str | Unset = UNSET,
        card: str | Unset = UNSET,
    ) -> Call[Model]:
        """Change its stage, licence, notes or card.

        `stage`: The weights of an approved model are kept. A retired model is no longer
        offered.

        `card`: Markdown. Leave empty to generate the card.
        """
        return patch(
            Model,
            f"models/{model_id}",
            given({"stage": stage, "licence": licence, "notes": notes, "card": card}),
        )

    @download
    def export_model(
        self,
        model_id: int,
        path: str | PathLike[str],
        *,
        weights: Literal["merged", "adapter"] | None = None,
    ) -> Download:
        """Download the model as one .tar: weights (safetensors), tokenizer, card (README.md)
        and lineage.json.

        `weights`: Full weights, or only the LoRA adapter if the run saved it.
        """
        return fetch(f"models/{model_id}/archive", path, weights=weights)

    @operation
    def read_model_card(self, model_id: int) -> Call[Card]:
        """The model's card, written by a person or generated."""
        return get(Card, f"models/{model_id}/card")

    @operation
    def change_model(
        self,
        model_id: int,
        *,
        stage: ModelStage | Unset = UNSET,
        licence: str | Unset = UNSET,
        notes: str | Unset = UNSET,
        card: str | Unset = UNSET,
    ) -> Call[Model]:
        """The same as the PATCH.

        `stage`: The weights of an approved model are kept. A retired model is no longer
        offered.

        `card`: Markdown. Leave empty to generate the card.
        """
        return post(
            Model,
            f"models/{model_id}/change",
            given({"stage": stage, "licence": licence, "notes": notes, "card": card}),
        )

    @operation
    def read_model_lineage(self, model_id: int) -> Call[Lineage]:
        """What it was made from, run by run, and the models made from it."""
        return get(Lineage, f"models/{model_id}/lineage")

    @operation
    def pin_model(self, model_id: int) -> Call[Model]:
        """Keep its weights until it is unpinned. Changes nothing if they were freed or it is
        already pinned.
        """
        return post(Model, f"models/{model_id}/pin")

    @listing
    def list_model_publications(self, model_id: int) -> Listing[Publication]:
        """Its publications to hubs, newest first."""
        return pages(Publication, f"models/{model_id}/publications")

    @operation
    def publish_model(
        self, model_id: int, repository: str, *, is_private: bool | Unset = UNSET
    ) -> Call[Publication]:
        """Publish it to a hub, privately by default. A worker with the hub's token uploads
        it.

        `repository`: As owner/name.
        """
        return post(
            Publication,
            f"models/{model_id}/publications",
            {"repository": repository} | given({"is_private": is_private}),
        )

    @listing
    def list_model_responses(
        self, model_id: int, *, run: int | None = None
    ) -> Listing[ModelResponse]:
        """What it wrote for prompts of this site, newest first.

        `run`: Only those of a sampling run.
        """
        return pages(ModelResponse, f"models/{model_id}/responses", run=run)

    @operation
    def read_model_scorecard(
        self, model_id: int, *, baseline: int | None = None
    ) -> Call[Scorecard]:
        """What it scored on suites, with the differences to a baseline.

        `baseline`: The model to compare with. The parent model by default.
        """
        return get(Scorecard, f"models/{model_id}/scorecard", baseline=baseline)

    @operation
    def unpin_model(self, model_id: int) -> Call[Model]:
        """Let its weights be freed by the usual rules again."""
        return post(Model, f"models/{model_id}/unpin")

    @operation
    def connect_model(
        self,
        *,
        name: str,
        url: str,
        served_name: str,
        key_variable: str | Unset = UNSET,
        serves: int | Unset | None = UNSET,
        licence: str | Unset = UNSET,
        notes: str | Unset = UNSET,
    ) -> Call[Model]:
        """Register an external model behind an OpenAI-compatible URL, to sample from. 409 if
        an operator has not allowed its host.

        `url`: The part before /chat/completions, as https://host/v1.

        `served_name`: The name the server uses for the model.

        `key_variable`: The environment variable with its key. The key itself is never
        stored.

        `serves`: The registered model that answers there.

        `licence`: That its answers may be used under. Empty: that of the served model.
        """
        return post(
            Model,
            "models/endpoints",
            {"name": name, "url": url, "served_name": served_name}
            | given(
                {"key_variable": key_variable, "serves": serves, "licence": licence, "notes": notes}
            ),
        )

    @listing
    def list_nodes(self) -> Listing[Node]:
        """GPU nodes, newest first."""
        return pages(Node, "nodes")

    @operation
    def read_node(self, node_id: int) -> Call[Node]:
        """One node and its runs."""
        return get(Node, f"nodes/{node_id}")

    @operation
    def forget_node(self, node_id: int) -> Call[None]:
        """Forget a node that is gone. One that is alive comes back with its next heartbeat."""
        return delete(f"nodes/{node_id}")

    @operation
    def drain_node(self, node_id: int) -> Call[Node]:
        """Let it finish its runs and take no new ones. Changes nothing if it is draining."""
        return post(Node, f"nodes/{node_id}/drain")

    @operation
    def resume_node(self, node_id: int) -> Call[Node]:
        """Let it take runs again. Changes nothing if it is not draining."""
        return post(Node, f"nodes/{node_id}/resume")

    @listing
    def list_queue(self) -> Listing[QueuedRun]:
        """Queued runs in the order in which they start, with the reason why each waits."""
        return pages(QueuedRun, "nodes/queue")

    @listing
    def list_pay(self, *, since: str | None = None, until: str | None = None) -> Listing[Timesheet]:
        """Every rater with work in these days, by pseudonym.

        `since`: In UTC. The first of this month without it.

        `until`: The last day. Today without it.
        """
        return pages(Timesheet, "pay", since=since, until=until)

    @listing
    def list_pay_disputes(self, *, is_answered: bool | None = None) -> Listing[Dispute]:
        """Raters' objections to a timesheet, newest first."""
        return pages(Dispute, "pay-disputes", is_answered=is_answered)

    @operation
    def answer_pay_dispute(
        self,
        pay_dispute_id: int,
        text: str,
        *,
        correction: str | Unset = UNSET,
        currency: str | Unset = UNSET,
    ) -> Call[Dispute]:
        """Answer it, with a correction of the pay if you like. 409 if it is answered.

        `correction`: In the major unit; a negative amount deducts.
        """
        return post(
            Dispute,
            f"pay-disputes/{pay_dispute_id}/answer",
            {"text": text} | given({"correction": correction, "currency": currency}),
        )

    @listing
    def list_timesheet_lines(
        self, pay_id: int, *, since: str | None = None, until: str | None = None
    ) -> Listing[TimesheetLine]:
        """One rater's days, each with its pool, kind of work, rate and amount.

        `since`: In UTC. The first of this month without it.

        `until`: The last day. Today without it.
        """
        return pages(TimesheetLine, f"pay/{pay_id}/lines", since=since, until=until)

    @operation
    def mark_paid(
        self, pay_id: int, *, since: str, until: str, note: str | Unset = UNSET
    ) -> Call[Payment]:
        """Mark what is due in these days as paid, and notify the rater. Lines that were paid
        before are left out. 409 if nothing is due or a rate is missing.

        `until`: Before today.

        `note`: Such as the transfer number.
        """
        return post(
            Payment, f"pay/{pay_id}/paid", {"since": since, "until": until} | given({"note": note})
        )

    @listing
    def list_payments(self, pay_id: int) -> Listing[Payment]:
        """What the rater was paid, newest first."""
        return pages(Payment, f"pay/{pay_id}/payments")

    @operation
    def read_timesheet(
        self, pay_id: int, *, since: str | None = None, until: str | None = None
    ) -> Call[Timesheet]:
        """One rater's totals in these days.

        `since`: In UTC. The first of this month without it.

        `until`: The last day. Today without it.
        """
        return get(Timesheet, f"pay/{pay_id}/timesheet", since=since, until=until)

    @listing
    def list_people(
        self,
        *,
        is_active: bool | None | None = None,
        role: Literal["rater", "admin", "researcher"] | None = None,
        text: str | None = None,
    ) -> Listing[Person]:
        """People with a login, newest first.

        `text`: Part of the name or e-mail.
        """
        return pages(Person, "people", is_active=is_active, role=role, text=text)

    @operation
    def create_person(
        self,
        *,
        name: str,
        email: str,
        roles: Sequence[RolesEnum],
        time_zone: str | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Call[Person]:
        """Create a login and mail the person a link to set a password. Somebody who rates
        gets a pseudonym.

        `email`: The link to set a password goes there.

        `roles`: A token cannot give the role `admin`.

        `time_zone`: Such as Europe/Berlin.

        `is_active`: False closes the account; their work stays.
        """
        return post(
            Person,
            "people",
            {"name": name, "email": email, "roles": roles}
            | given({"time_zone": time_zone, "is_active": is_active}),
        )

    @operation
    def read_person(self, person_id: int) -> Call[Person]:
        """One person."""
        return get(Person, f"people/{person_id}")

    @operation
    def change_person(
        self,
        person_id: int,
        *,
        name: str | Unset = UNSET,
        email: str | Unset = UNSET,
        roles: Sequence[RolesEnum] | Unset = UNSET,
        time_zone: str | Unset = UNSET,
        is_active: bool | Unset = UNSET,
    ) -> Call[Person]:
        """Change name, address, roles or time zone, or close the account. 409 for an admin.

        `roles`: A token cannot give the role `admin`.

        `time_zone`: Such as Europe/Berlin.

        `is_active`: False closes the account; their work stays.
        """
        return patch(
            Person,
            f"people/{person_id}",
            given(
                {
                    "name": name,
                    "email": email,
                    "roles": roles,
                    "time_zone": time_zone,
                    "is_active": is_active,
                }
            ),
        )

    @operation
    def invite_person(self, person_id: int) -> Call[Person]:
        """Mail the person a new link to set a password. 409 if the account is closed."""
        return post(Person, f"people/{person_id}/invite")

    @listing
    def list_pools(self) -> Listing[Pool]:
        """Pools, newest first."""
        return pages(Pool, "pools")

    @operation
    def create_pool(
        self,
        name: str,
        *,
        description: str | Unset = UNSET,
        is_held_out: bool | Unset = UNSET,
        languages: Sequence[str] | Unset = UNSET,
        expertise: Sequence[str] | Unset = UNSET,
        routes_by_language: bool | Unset = UNSET,
        routes_by_category: bool | Unset = UNSET,
        max_per_day: int | Unset | None = UNSET,
        max_at_once: int | Unset | None = UNSET,
        shown_items: int | Unset | None = UNSET,
        shown_percent: int | Unset = UNSET,
    ) -> Call[Pool]:
        """Create a pool without raters.

        `is_held_out`: Answers from this pool are used for evaluation only, never for
        training.

        `languages`: Codes of the languages that everyone in the pool reads, such as `en`.

        `expertise`: What everyone in the pool knows: prompt categories, or tags of your
        own.

        `routes_by_language`: Items only go to raters who know their language.

        `routes_by_category`: Items only go to raters who know their category.

        `max_per_day`: The most items one rater gets per day. Null for no limit.

        `max_at_once`: The most items one rater can have open at a time. Null for no
        limit.

        `shown_items`: Good answers in a category that earn a skill. Null turns this off.

        `shown_percent`: Percent of answers that must be good.
        """
        return post(
            Pool,
            "pools",
            {"name": name}
            | given(
                {
                    "description": description,
                    "is_held_out": is_held_out,
                    "languages": languages,
                    "expertise": expertise,
                    "routes_by_language": routes_by_language,
                    "routes_by_category": routes_by_category,
                    "max_per_day": max_per_day,
                    "max_at_once": max_at_once,
                    "shown_items": shown_items,
                    "shown_percent": shown_percent,
                }
            ),
        )

    @operation
    def read_pool(self, pool_id: int) -> Call[Pool]:
        """One pool."""
        return get(Pool, f"pools/{pool_id}")

    @operation
    def change_pool(
        self,
        pool_id: int,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        is_held_out: bool | Unset = UNSET,
        languages: Sequence[str] | Unset = UNSET,
        expertise: Sequence[str] | Unset = UNSET,
        routes_by_language: bool | Unset = UNSET,
        routes_by_category: bool | Unset = UNSET,
        max_per_day: int | Unset | None = UNSET,
        max_at_once: int | Unset | None = UNSET,
        shown_items: int | Unset | None = UNSET,
        shown_percent: int | Unset = UNSET,
    ) -> Call[Pool]:
        """Change its settings. Omitted fields keep their value.

        `is_held_out`: Answers from this pool are used for evaluation only, never for
        training.

        `languages`: Codes of the languages that everyone in the pool reads, such as `en`.

        `expertise`: What everyone in the pool knows: prompt categories, or tags of your
        own.

        `routes_by_language`: Items only go to raters who know their language.

        `routes_by_category`: Items only go to raters who know their category.

        `max_per_day`: The most items one rater gets per day. Null for no limit.

        `max_at_once`: The most items one rater can have open at a time. Null for no
        limit.

        `shown_items`: Good answers in a category that earn a skill. Null turns this off.

        `shown_percent`: Percent of answers that must be good.
        """
        return patch(
            Pool,
            f"pools/{pool_id}",
            given(
                {
                    "name": name,
                    "description": description,
                    "is_held_out": is_held_out,
                    "languages": languages,
                    "expertise": expertise,
                    "routes_by_language": routes_by_language,
                    "routes_by_category": routes_by_category,
                    "max_per_day": max_per_day,
                    "max_at_once": max_at_once,
                    "shown_items": shown_items,
                    "shown_percent": shown_percent,
                }
            ),
        )

    @operation
    def add_raters_to_pool(self, pool_id: int, raters: Sequence[int]) -> Call[Pool]:
        """Add raters. Those who are in the pool already stay as they are.

        `raters`: IDs of raters whose login is open.
        """
        return post(Pool, f"pools/{pool_id}/add", {"raters": raters})

    @listing
    def list_pool_members(self, pool_id: int) -> Listing[PoolMember]:
        """Its raters, those who joined last first."""
        return pages(PoolMember, f"pools/{pool_id}/members")

    @operation
    def pause_pool(self, pool_id: int, *, raters: Sequence[int] | Unset = UNSET) -> Call[Pool]:
        """Give the pool, or only some of its raters, no new items for now.

        `raters`: IDs of raters in the pool. Leave it out for the whole pool.
        """
        return post(Pool, f"pools/{pool_id}/pause", given({"raters": raters}))

    @listing
    def list_pool_rates(self, pool_id: int) -> Listing[PoolRate]:
        """What the pool pays, newest first. For each kind of work, the latest one that has
        started is valid.
        """
        return pages(PoolRate, f"pools/{pool_id}/rates")

    @operation
    def set_pool_rate(
        self,
        pool_id: int,
        *,
        kind: PoolRateKind,
        amount: str,
        currency: str,
        basis: BasisEnum | Unset = UNSET,
        floor: str | Unset | None = UNSET,
        from_day: str | Unset | None = UNSET,
    ) -> Call[PoolRate]:
        """Set what the pool pays for one kind of work from now or a day on.

        `amount`: In whole units: 12.5 with `EUR` is 12.50 euros.

        `currency`: Three letters, such as EUR.

        `floor`: Timesheets flag pay below this per hour.

        `from_day`: Leave it out to start now. A past day reprices all work since then,
        except days already marked as paid.
        """
        return post(
            PoolRate,
            f"pools/{pool_id}/rates",
            {"kind": kind, "amount": amount, "currency": currency}
            | given({"basis": basis, "floor": floor, "from_day": from_day}),
        )

    @operation
    def remove_raters_from_pool(self, pool_id: int, raters: Sequence[int]) -> Call[Pool]:
        """Remove raters. They can submit the items they hold, and get no new ones.

        `raters`: IDs of raters in the pool.
        """
        return post(Pool, f"pools/{pool_id}/remove", {"raters": raters})

    @operation
    def resume_pool(self, pool_id: int, *, raters: Sequence[int] | Unset = UNSET) -> Call[Pool]:
        """Give the pool, or only some of its raters, items again.

        `raters`: IDs of raters in the pool. Leave it out for the whole pool.
        """
        return post(Pool, f"pools/{pool_id}/resume", given({"raters": raters}))

    @listing
    def list_prolific_bonuses(self, *, study: int | None = None) -> Listing[ProlificBonus]:
        """Batches of bonuses, newest first."""
        return pages(ProlificBonus, "prolific-bonuses", study=study)

    @operation
    def prepare_prolific_bonus(
        self, *, study: int, submissions: Sequence[int]
    ) -> Call[ProlificBonus]:
        """Set up what is due to these submissions. No money moves before you call `pay`.

        `submissions`: Those with nothing due are left out.
        """
        return post(ProlificBonus, "prolific-bonuses", {"study": study, "submissions": submissions})

    @operation
    def read_prolific_bonus(self, prolific_bonus_id: int) -> Call[ProlificBonus]:
        """One batch of bonuses."""
        return get(ProlificBonus, f"prolific-bonuses/{prolific_bonus_id}")

    @operation
    def discard_prolific_bonus(self, prolific_bonus_id: int) -> Call[ProlificBonus]:
        """Drop a batch that was not sent, or that Prolific does not list."""
        return post(ProlificBonus, f"prolific-bonuses/{prolific_bonus_id}/discard")

    @operation
    def pay_prolific_bonus(self, prolific_bonus_id: int, total: int) -> Call[ProlificBonus]:
        """Confirm the total. A worker sends the batch once; `state` says what has become of
        it.

        `total`: The batch's `total`, to confirm it.
        """
        return post(ProlificBonus, f"prolific-bonuses/{prolific_bonus_id}/pay", {"total": total})

    @operation
    def resend_prolific_bonus(self, prolific_bonus_id: int) -> Call[ProlificBonus]:
        """Send a batch again that Prolific does not list (`not_found`)."""
        return post(ProlificBonus, f"prolific-bonuses/{prolific_bonus_id}/resend")

    @listing
    def list_prolific_studies(self, *, crowd_link: int | None = None) -> Listing[ProlificStudy]:
        """Studies on Prolific, newest first."""
        return pages(ProlificStudy, "prolific-studies", crowd_link=crowd_link)

    @operation
    def create_prolific_study(
        self,
        *,
        crowd_link: int,
        description: str,
        reward: int,
        minutes: int,
        n_places: int,
        eligibility: str | Unset = UNSET,
        project_id: str | Unset = UNSET,
        filter_set_id: str | Unset = UNSET,
        screen_out_reward: int | Unset | None = UNSET,
        screen_out_places: int | Unset | None = UNSET,
    ) -> Call[ProlificStudy]:
        """Create a draft on Prolific that sends its participants to a crowd link. It costs
        nothing until you publish it.

        `crowd_link`: A link that is open.

        `description`: Participants read it before they take part.

        `eligibility`: Who can take part; added to the description.

        `filter_set_id`: Empty: everyone.

        `screen_out_reward`: Less than the reward. Without it, workers are asked to return
        the study.
        """
        return post(
            ProlificStudy,
            "prolific-studies",
            {
                "crowd_link": crowd_link,
                "description": description,
                "reward": reward,
                "minutes": minutes,
                "n_places": n_places,
            }
            | given(
                {
                    "eligibility": eligibility,
                    "project_id": project_id,
                    "filter_set_id": filter_set_id,
                    "screen_out_reward": screen_out_reward,
                    "screen_out_places": screen_out_places,
                }
            ),
        )

    @operation
    def read_prolific_study(self, prolific_study_id: int) -> Call[ProlificStudy]:
        """One study, as it was at `polled_at`."""
        return get(ProlificStudy, f"prolific-studies/{prolific_study_id}")

    @operation
    def delete_prolific_study(self, prolific_study_id: int) -> Call[None]:
        """Delete a draft, on Prolific too. The crowd link stays."""
        return delete(f"prolific-studies/{prolific_study_id}")

    @operation
    def approve_prolific_submissions(
        self, prolific_study_id: int, submissions: Sequence[int]
    ) -> Call[ProlificStudy]:
        """Approve those of the submissions that were handed in with the right code for a
        complete visit.

        `submissions`: Submissions of the study; those that do not qualify are left out.
        """
        return post(
            ProlificStudy,
            f"prolific-studies/{prolific_study_id}/approve",
            {"submissions": submissions},
        )

    @operation
    def read_prolific_cost(self, prolific_study_id: int, *, n_places: int) -> Call[ProlificCost]:
        """What this many places cost, as Prolific says now."""
        return get(ProlificCost, f"prolific-studies/{prolific_study_id}/cost", n_places=n_places)

    @operation
    def pause_prolific_study(self, prolific_study_id: int) -> Call[ProlificStudy]:
        """Let nobody new start. Participants who have started can finish."""
        return post(ProlificStudy, f"prolific-studies/{prolific_study_id}/pause")

    @operation
    def set_prolific_places(self, prolific_study_id: int, n_places: int) -> Call[ProlificStudy]:
        """Raise the number of places. Repeating the call adds none.

        `n_places`: The new total.
        """
        return post(
            ProlificStudy, f"prolific-studies/{prolific_study_id}/places", {"n_places": n_places}
        )

    @operation
    def poll_prolific_study(self, prolific_study_id: int) -> Call[ProlificStudy]:
        """Look at the study and its submissions now. `problem` says if that failed."""
        return post(ProlificStudy, f"prolific-studies/{prolific_study_id}/poll")

    @operation
    def publish_prolific_study(self, prolific_study_id: int) -> Call[ProlificStudy]:
        """Invite participants. Prolific reserves the cost: read it first."""
        return post(ProlificStudy, f"prolific-studies/{prolific_study_id}/publish")

    @operation
    def resume_prolific_study(self, prolific_study_id: int) -> Call[ProlificStudy]:
        """Let participants start again."""
        return post(ProlificStudy, f"prolific-studies/{prolific_study_id}/resume")

    @listing
    def list_prolific_submissions(self, *, study: int | None = None) -> Listing[ProlificSubmission]:
        """Submissions, newest first, as of the last look at their studies."""
        return pages(ProlificSubmission, "prolific-submissions", study=study)

    @operation
    def read_prolific_submission(self, prolific_submission_id: int) -> Call[ProlificSubmission]:
        """One submission."""
        return get(ProlificSubmission, f"prolific-submissions/{prolific_submission_id}")

    @operation
    def approve_prolific_submission(self, prolific_submission_id: int) -> Call[ProlificSubmission]:
        """Pay the reward. It cannot be undone."""
        return post(ProlificSubmission, f"prolific-submissions/{prolific_submission_id}/approve")

    @operation
    def reject_prolific_submission(
        self, prolific_submission_id: int, *, category: RejectionCategoryEnum, message: str
    ) -> Call[ProlificSubmission]:
        """Refuse the reward. It cannot be undone, and there is no call for several at once.

        `message`: The participant reads it.
        """
        return post(
            ProlificSubmission,
            f"prolific-submissions/{prolific_submission_id}/reject",
            {"category": category, "message": message},
        )

    @operation
    def ask_prolific_return(
        self, prolific_submission_id: int, reason: str
    ) -> Call[ProlificSubmission]:
        """Ask the participant to return the submission, without pay and without harm to
        them.

        `reason`: The participant reads it.
        """
        return post(
            ProlificSubmission,
            f"prolific-submissions/{prolific_submission_id}/request-return",
            {"reason": reason},
        )

    @listing
    def list_prompts(
        self,
        *,
        category: Literal[
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
        | None = None,
        is_retired: bool | None = None,
        is_unused: bool | None = None,
        language: str | None = None,
        source: int | None = None,
        split: Literal["train", "validation", "test"] | None = None,
        text: str | None = None,
    ) -> Listing[Prompt]:
        """Prompts in use, or with `is_retired` the others, newest first.

        `is_retired`: Retired prompts instead of those in use.

        `is_unused`: Only prompts that are in no campaign.

        `text`: Words in any of the messages.
        """
        return pages(
            Prompt,
            "prompts",
            category=category,
            is_retired=is_retired,
            is_unused=is_unused,
            language=language,
            source=source,
            split=split,
            text=text,
        )

    @operation
    def create_prompt(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        category: PromptCategory | Unset = UNSET,
        language: str | Unset = UNSET,
        split: str | Unset = UNSET,
        licence: str | Unset = UNSET,
        sensitive: Sequence[SensitiveEnum] | Unset = UNSET,
        constraints: Sequence[str] | Unset = UNSET,
    ) -> Call[Prompt]:
        """Create a prompt. Its source is the caller.

        `messages`: An optional system message, then user and assistant in turn. The last
        message is the user's.

        `split`: Omit it: nearly identical prompts share a split, and the text decides for
        new ones.

        `sensitive`: Kinds of upsetting content in the prompt or its answers. Only raters
        who opted in get it.

        `constraints`: Requirements an answer must meet, one sentence each.
        """
        return post(
            Prompt,
            "prompts",
            {"messages": messages}
            | given(
                {
                    "category": category,
                    "language": language,
                    "split": split,
                    "licence": licence,
                    "sensitive": sensitive,
                    "constraints": constraints,
                }
            ),
        )

    @operation
    def read_prompt(self, prompt_id: int) -> Call[Prompt]:
        """One prompt."""
        return get(Prompt, f"prompts/{prompt_id}")

    @operation
    def change_prompt(
        self, prompt_id: int, *, sensitive: Sequence[SensitiveEnum] | Unset = UNSET
    ) -> Call[Prompt]:
        """Mark kinds of upsetting content. Its text changes with a new version.

        `sensitive`: Kinds of upsetting content in the prompt or its answers. Only raters
        who opted in get it.
        """
        return patch(Prompt, f"prompts/{prompt_id}", given({"sensitive": sensitive}))

    @operation
    def retire_prompt(self, prompt_id: int) -> Call[Prompt]:
        """No new campaign uses it, and running ones stop handing it out. Answers stay. 409
        if it is retired already.
        """
        return post(Prompt, f"prompts/{prompt_id}/retire")

    @operation
    def create_prompt_version(
        self,
        prompt_id: int,
        *,
        messages: Sequence[Mapping[str, Any]] | Unset = UNSET,
        category: PromptCategory | Unset = UNSET,
        language: str | Unset = UNSET,
        constraints: Sequence[str] | Unset = UNSET,
        keeps_responses: bool | Unset = UNSET,
    ) -> Call[Prompt]:
        """Replace it with a new version, which has an ID of its own, and retire this one.
        Items of running campaigns that need answers are handed out again with the new
        version. 409 if it is retired or nothing changes.

        `messages`: An optional system message, then user and assistant in turn. The last
        message is the user's.

        `constraints`: Requirements an answer must meet, one sentence each.

        `keeps_responses`: Comparisons return to the queue only if their responses are
        kept. Send false if the new prompt calls for a different answer.
        """
        return post(
            Prompt,
            f"prompts/{prompt_id}/versions",
            given(
                {
                    "messages": messages,
                    "category": category,
                    "language": language,
                    "constraints": constraints,
                    "keeps_responses": keeps_responses,
                }
            ),
        )

    @operation
    def publish_export(
        self, *, repository: str, export: int, is_private: bool | Unset = UNSET
    ) -> Call[Publication]:
        """Publish an export to a hub as a data set, privately by default. A worker with the
        hub's token uploads it.

        `repository`: As owner/name.
        """
        return post(
            Publication,
            "publications",
            {"repository": repository, "export": export} | given({"is_private": is_private}),
        )

    @operation
    def read_publication(self, publication_id: int) -> Call[Publication]:
        """The state of a publication."""
        return get(Publication, f"publications/{publication_id}")

    @listing
    def list_quality(self) -> Listing[QualityRow]:
        """Comparison campaigns that have a report, open ones first."""
        return pages(QualityRow, "quality")

    @listing
    def list_questions(self, *, is_answered: bool | None = None) -> Listing[ItemQuestion]:
        """Raters' questions about items."""
        return pages(ItemQuestion, "questions", is_answered=is_answered)

    @operation
    def read_question(self, question_id: int) -> Call[ItemQuestion]:
        """One question."""
        return get(ItemQuestion, f"questions/{question_id}")

    @operation
    def answer_question(self, question_id: int, text: str) -> Call[ItemQuestion]:
        """Answer it; the rater sees it under My work. A later answer replaces it."""
        return post(ItemQuestion, f"questions/{question_id}/answer", {"text": text})

    @operation
    def own_question(
        self, question_id: int, *, is_mine: bool | Unset = UNSET
    ) -> Call[ItemQuestion]:
        """Take it, or release it.

        `is_mine`: False releases it.
        """
        return post(ItemQuestion, f"questions/{question_id}/own", given({"is_mine": is_mine}))

    @listing
    def list_raters(
        self,
        *,
        language: str | None = None,
        pool: int | None = None,
        status: Literal["at_work", "paused", "no_pool", "closed", "withdrawn"] | None = None,
        topic: str | None = None,
    ) -> Listing[Rater]:
        """Raters with a login, newest first, under their pseudonyms."""
        return pages(Rater, "raters", language=language, pool=pool, status=status, topic=topic)

    @operation
    def read_rater(self, rater_id: int) -> Call[Rater]:
        """One rater with a login."""
        return get(Rater, f"raters/{rater_id}")

    @operation
    def read_rater_skills(self, rater_id: int) -> Call[RaterSkills]:
        """What the rater knows, and how the site knows it."""
        return get(RaterSkills, f"raters/{rater_id}/skills")

    @operation
    def set_rater_skills(
        self, rater_id: int, *, languages: Sequence[str], topics: Sequence[str]
    ) -> Call[RaterSkills]:
        """Set what you have observed, in place of all that is `shown`. A topic that you
        leave out is taken back, and the site does not grant it again by itself.

        `topics`: Prompt categories, such as `summarization`, and tags of your own.
        """
        return post(
            RaterSkills, f"raters/{rater_id}/skills", {"languages": languages, "topics": topics}
        )

    @listing
    def list_red_teaming(self) -> Listing[RedTeaming]:
        """Red-teaming campaigns, newest first."""
        return pages(RedTeaming, "red-teaming")

    @operation
    def create_red_teaming(
        self,
        *,
        name: str,
        pool: int,
        guideline: int,
        briefs: Sequence[Mapping[str, Any]],
        n_each: int,
        models: Sequence[Mapping[str, Any]],
        review_pool: int,
        n_answers: int | Unset = UNSET,
        draws: DrawsEnum | Unset = UNSET,
        max_turns: int | Unset = UNSET,
        max_new_tokens: int | Unset = UNSET,
        n_reviewers: int | Unset = UNSET,
    ) -> Call[RedTeaming]:
        """Create a draft campaign whose raters attack models by these briefs. Open it as any
        other campaign.

        `pool`: The attackers.

        `n_each`: Attacks per brief.

        `review_pool`: They rate attacks again, blind.
        """
        return post(
            RedTeaming,
            "red-teaming",
            {
                "name": name,
                "pool": pool,
                "guideline": guideline,
                "briefs": briefs,
                "n_each": n_each,
                "models": models,
                "review_pool": review_pool,
            }
            | given(
                {
                    "n_answers": n_answers,
                    "draws": draws,
                    "max_turns": max_turns,
                    "max_new_tokens": max_new_tokens,
                    "n_reviewers": n_reviewers,
                }
            ),
        )

    @operation
    def read_attack_success(self, *, campaign: int | None = None) -> Call[RedTeamingSuccess]:
        """How often attacks succeed, by area and goal, with intervals between attackers.

        `campaign`: Leave it out for all campaigns.
        """
        return get(RedTeamingSuccess, "red-teaming/success", campaign=campaign)

    @listing
    def list_responses(self, *, prompt: int | None = None) -> Listing[Response]:
        """Responses, newest first; with `prompt`, those to one prompt."""
        return pages(Response, "responses", prompt=prompt)

    @operation
    def add_responses(
        self, *, source: str, licence: str, responses: Sequence[Mapping[str, Any]]
    ) -> Call[StoredResponses]:
        """Store what other models or people answered to prompts of this site. All are
        stored, or none. The same text of the same source is stored once.

        `source`: A name for the origin of the data. Raters never see it.

        `licence`: SPDX, such as CC-BY-4.0.
        """
        return post(
            StoredResponses,
            "responses",
            {"source": source, "licence": licence, "responses": responses},
        )

    @listing
    def list_restored_documents(
        self,
        *,
        recipe: Literal["light", "text", "prompt", "demonstration", "response"] | None = None,
    ) -> Listing[RestoredDocument]:
        """Documents restored from recipes, newest first."""
        return pages(RestoredDocument, "restored-documents", recipe=recipe)

    @operation
    def read_restored_document(self, restored_document_id: int) -> Call[RestoredDocument]:
        """One restored document."""
        return get(RestoredDocument, f"restored-documents/{restored_document_id}")

    @operation
    def undo_restore(self, restored_document_id: int) -> Call[RestoredDocument]:
        """Let the recipe remove the document again."""
        return post(RestoredDocument, f"restored-documents/{restored_document_id}/undo")

    @listing
    def list_runs(
        self,
        *,
        kind: Literal[
            "sft",
            "reward",
            "ppo",
            "dpo",
            "rloo",
            "pretrain",
            "sample",
            "evaluate",
            "benchmark",
            "attack",
        ]
        | None = None,
        state: Literal["queued", "running", "finished", "succeeded", "stopped", "failed", "lost"]
        | None = None,
        words: str | None = None,
    ) -> Listing[Run]:
        """Runs, newest first.

        `state`: A state or an outcome.

        `words`: Words in the name of the run, model or snapshot.
        """
        return pages(Run, "runs", kind=kind, state=state, words=words)

    @operation
    def queue_run(
        self,
        *,
        kind: RunKind,
        name: str,
        base_model: int,
        snapshot: int | Unset = UNSET,
        suites: Sequence[str] | Unset = UNSET,
        ptx_snapshot: int | Unset | None = UNSET,
        reward_model: int | Unset | None = UNSET,
        watchdog_model: int | Unset | None = UNSET,
        reference_model: int | Unset | None = UNSET,
        other_model: int | Unset | None = UNSET,
        attacker_model: int | Unset | None = UNSET,
        preset: PresetEnum | Unset = UNSET,
        n_gpus: int | Unset = UNSET,
        memory_gb: int | Unset = UNSET,
        priority: int | Unset = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        remarks: str | Unset = UNSET,
        n_processes: int | Unset = UNSET,
        n_machines: int | Unset = UNSET,
        strategy: StrategyEnum | Unset = UNSET,
        offloads: bool | Unset = UNSET,
        is_dry: bool | Unset = UNSET,
        config: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Run]:
        """Queue a run. The first free worker takes it.

        `snapshot`: Required, except with `suites`.

        `suites`: Benchmarks only, in place of a snapshot: ids of suites, or their slugs
        for the newest version.

        `ptx_snapshot`: PPO only: the snapshot of text that PPO-ptx mixes in.

        `reward_model`: Reward model that scores the responses.

        `watchdog_model`: PPO only: a reward model that scores the responses and is never
        used for training.

        `reference_model`: PPO and RLOO: the model that the KL is measured to. Omit it for
        the fine-tuned model that the base model's line began with.

        `other_model`: Evaluations only: the model to compare with.

        `attacker_model`: Attacks only: the model that leads conversations of several
        turns.

        `preset`: Settings to start from.

        `n_gpus`: GPUs needed. Only a node with this many takes the run.

        `memory_gb`: Memory needed on each GPU, or on the machine if no GPU is requested.

        `priority`: The highest runs first.

        `n_processes`: Processes that share the work, each with its own GPU if any are
        requested.

        `n_machines`: Each with the same number of processes and GPUs, and the same
        memory.

        `strategy`: How the processes share the work.

        `offloads`: FSDP: also use the machine's memory.

        `is_dry`: Load everything, run two steps, save no model.

        `config`: Settings that differ from the preset, or from the defaults.
        """
        return post(
            Run,
            "runs",
            {"kind": kind, "name": name, "base_model": base_model}
            | given(
                {
                    "snapshot": snapshot,
                    "suites": suites,
                    "ptx_snapshot": ptx_snapshot,
                    "reward_model": reward_model,
                    "watchdog_model": watchdog_model,
                    "reference_model": reference_model,
                    "other_model": other_model,
                    "attacker_model": attacker_model,
                    "preset": preset,
                    "n_gpus": n_gpus,
                    "memory_gb": memory_gb,
                    "priority": priority,
                    "tags": tags,
                    "remarks": remarks,
                    "n_processes": n_processes,
                    "n_machines": n_machines,
                    "strategy": strategy,
                    "offloads": offloads,
                    "is_dry": is_dry,
                    "config": config,
                }
            ),
        )

    @operation
    def read_run(self, run_id: int) -> Call[Run]:
        """One run: its state, progress and outcome."""
        return get(Run, f"runs/{run_id}")

    @operation
    def change_run(
        self,
        run_id: int,
        *,
        name: str | Unset = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        remarks: str | Unset = UNSET,
    ) -> Call[Run]:
        """Change its name, tags or remarks. Its settings cannot change."""
        return patch(Run, f"runs/{run_id}", given({"name": name, "tags": tags, "remarks": remarks}))

    @listing
    def list_run_answers(
        self, run_id: int, *, suite: int | None = None
    ) -> Listing[BenchmarkAnswer]:
        """What its model answered to the items of suites, with every score."""
        return pages(BenchmarkAnswer, f"runs/{run_id}/answers", suite=suite)

    @operation
    def read_run_attacks(self, run_id: int) -> Call[Attacks]:
        """How often an attack succeeded, by strategy and area. 404 for runs of other kinds."""
        return get(Attacks, f"runs/{run_id}/attacks")

    @operation
    def send_attacks_to_raters(
        self,
        run_id: int,
        pool: int,
        *,
        n: int | Unset = UNSET,
        overlap: int | Unset = UNSET,
        sensitive: Sequence[SensitiveEnum] | Unset = UNSET,
    ) -> Call[Sampled]:
        """Open a campaign in which raters judge attempts drawn at random. Their answers
        correct the success rate. 409 if raters have all attempts already.

        `n`: Attempts.

        `sensitive`: Kinds of upsetting content, besides those of the attempts' areas.
        """
        return post(
            Sampled,
            f"runs/{run_id}/attacks/raters",
            {"pool": pool} | given({"n": n, "overlap": overlap, "sensitive": sensitive}),
        )

    @operation
    def extend_run(self, run_id: int, amount: int, *, name: str | Unset = UNSET) -> Call[Run]:
        """Queue a run that continues from the final state of a finished one.

        `amount`: Total number of epochs, steps or episodes.
        """
        return post(Run, f"runs/{run_id}/extend", {"amount": amount} | given({"name": name}))

    @operation
    def give_up_run(self, run_id: int) -> Call[Run]:
        """Delete the checkpoints of a failed, lost or stopped run for good. 409 if they are
        still needed.
        """
        return post(Run, f"runs/{run_id}/give-up")

    @operation
    def kill_run(self, run_id: int) -> Call[Run]:
        """Stop a run at once and discard what it did since its last checkpoint. Changes
        nothing if it has already ended.
        """
        return post(Run, f"runs/{run_id}/kill")

    @operation
    def read_run_log(
        self, run_id: int, *, attempt: int | None = None, since: int | None = None
    ) -> Call[Log]:
        """The last lines of its log, or those since a line. Poll with `next_attempt` and
        `next_since` while the run is in progress.

        `attempt`: The attempt that `since` belongs to. The log of a later attempt is
        returned from its start.

        `since`: Only lines after this one.
        """
        return get(Log, f"runs/{run_id}/log", attempt=attempt, since=since)

    @operation
    def move_run(self, run_id: int, places: int) -> Call[Run]:
        """Move a queued run by `places`: negative is towards the front. 409 if it is no
        longer queued.

        `places`: Number of places to move. Negative is towards the front.
        """
        return post(Run, f"runs/{run_id}/move", {"places": places})

    @operation
    def pin_run(self, run_id: int) -> Call[Run]:
        """Keep its checkpoints until it is unpinned. Changes nothing if they were freed or
        it is already pinned.
        """
        return post(Run, f"runs/{run_id}/pin")

    @operation
    def set_run_priority(self, run_id: int, priority: int) -> Call[Run]:
        """Set a queued run's priority; the highest runs first. 409 if it is no longer
        queued.
        """
        return post(Run, f"runs/{run_id}/priority", {"priority": priority})

    @operation
    def send_run_to_raters(
        self,
        run_id: int,
        *,
        suite: int,
        against: int,
        name: str,
        pool: int,
        guideline: int,
        n: int | Unset = UNSET,
        overlap: int | Unset = UNSET,
        only_unsure: bool | Unset = UNSET,
        sensitive: Sequence[SensitiveEnum] | Unset = UNSET,
    ) -> Call[SentToRaters]:
        """Open a campaign in which raters compare its answers to a suite with another run's.

        `against`: The run of another model whose answers are shown beside.

        `name`: Of the campaign.

        `n`: At most this many answers.

        `only_unsure`: Only answers of which the refusal classifier is unsure.

        `sensitive`: Kinds of upsetting content. Only raters who agreed to them get the
        items.
        """
        return post(
            SentToRaters,
            f"runs/{run_id}/raters",
            {"suite": suite, "against": against, "name": name, "pool": pool, "guideline": guideline}
            | given(
                {"n": n, "overlap": overlap, "only_unsure": only_unsure, "sensitive": sensitive}
            ),
        )

    @operation
    def retry_run(self, run_id: int) -> Call[Run]:
        """Requeue a failed, lost or stopped run. It resumes from its last checkpoint and
        replaces the model that it has left. 409 if that model is already in use.
        """
        return post(Run, f"runs/{run_id}/retry")

    @listing
    def list_run_samples(self, run_id: int) -> Listing[Sample]:
        """Responses sampled during training, with scores, newest first."""
        return pages(Sample, f"runs/{run_id}/samples")

    @operation
    def score_run_again(self, run_id: int, scorer: ScorerEnum) -> Call[Run]:
        """Have a worker score its answers by another scorer too. 409 if the scorer can't
        read them.
        """
        return post(Run, f"runs/{run_id}/score", {"scorer": scorer})

    @operation
    def stop_run(self, run_id: int) -> Call[Run]:
        """Ask a run to save and stop at its next step. Changes nothing if it has already
        ended.
        """
        return post(Run, f"runs/{run_id}/stop")

    @operation
    def unpin_run(self, run_id: int) -> Call[Run]:
        """Let its checkpoints be freed by the usual rules again."""
        return post(Run, f"runs/{run_id}/unpin")

    @operation
    def estimate_run(
        self,
        *,
        kind: RunKind,
        base_model: int,
        name: str | Unset = UNSET,
        snapshot: int | Unset = UNSET,
        suites: Sequence[str] | Unset = UNSET,
        ptx_snapshot: int | Unset | None = UNSET,
        reward_model: int | Unset | None = UNSET,
        watchdog_model: int | Unset | None = UNSET,
        reference_model: int | Unset | None = UNSET,
        other_model: int | Unset | None = UNSET,
        attacker_model: int | Unset | None = UNSET,
        preset: PresetEnum | Unset = UNSET,
        n_gpus: int | Unset = UNSET,
        memory_gb: int | Unset = UNSET,
        priority: int | Unset = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        remarks: str | Unset = UNSET,
        n_processes: int | Unset = UNSET,
        n_machines: int | Unset = UNSET,
        strategy: StrategyEnum | Unset = UNSET,
        offloads: bool | Unset = UNSET,
        is_dry: bool | Unset = UNSET,
        config: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Estimate]:
        """Estimate what a run would cost, without queuing it.

        `snapshot`: Required, except with `suites`.

        `suites`: Benchmarks only, in place of a snapshot: ids of suites, or their slugs
        for the newest version.

        `ptx_snapshot`: PPO only: the snapshot of text that PPO-ptx mixes in.

        `reward_model`: Reward model that scores the responses.

        `watchdog_model`: PPO only: a reward model that scores the responses and is never
        used for training.

        `reference_model`: PPO and RLOO: the model that the KL is measured to. Omit it for
        the fine-tuned model that the base model's line began with.

        `other_model`: Evaluations only: the model to compare with.

        `attacker_model`: Attacks only: the model that leads conversations of several
        turns.

        `preset`: Settings to start from.

        `n_gpus`: GPUs needed. Only a node with this many takes the run.

        `memory_gb`: Memory needed on each GPU, or on the machine if no GPU is requested.

        `priority`: The highest runs first.

        `n_processes`: Processes that share the work, each with its own GPU if any are
        requested.

        `n_machines`: Each with the same number of processes and GPUs, and the same
        memory.

        `strategy`: How the processes share the work.

        `offloads`: FSDP: also use the machine's memory.

        `is_dry`: Load everything, run two steps, save no model.

        `config`: Settings that differ from the preset, or from the defaults.
        """
        return post(
            Estimate,
            "runs/estimate",
            {"kind": kind, "base_model": base_model}
            | given(
                {
                    "name": name,
                    "snapshot": snapshot,
                    "suites": suites,
                    "ptx_snapshot": ptx_snapshot,
                    "reward_model": reward_model,
                    "watchdog_model": watchdog_model,
                    "reference_model": reference_model,
                    "other_model": other_model,
                    "attacker_model": attacker_model,
                    "preset": preset,
                    "n_gpus": n_gpus,
                    "memory_gb": memory_gb,
                    "priority": priority,
                    "tags": tags,
                    "remarks": remarks,
                    "n_processes": n_processes,
                    "n_machines": n_machines,
                    "strategy": strategy,
                    "offloads": offloads,
                    "is_dry": is_dry,
                    "config": config,
                }
            ),
        )

    @listing
    def list_schedules(self) -> Listing[Schedule]:
        """Schedules, newest first."""
        return pages(Schedule, "schedules")

    @operation
    def create_schedule(
        self,
        template: TemplateEnum,
        *,
        memory_gb: int | Unset | None = UNSET,
        n_machines: int | Unset | None = UNSET,
        trains_watchdog: bool | Unset = UNSET,
        ptx_text: int | Unset | None = UNSET,
        n_prompts: int | Unset | None = UNSET,
        max_uses: int | Unset | None = UNSET,
        n_candidates: int | Unset = UNSET,
        keeps_earlier: bool | Unset = UNSET,
        pool: int | Unset = UNSET,
        guideline: int | Unset = UNSET,
        n_responses: int | Unset = UNSET,
        overlap: int | Unset = UNSET,
        n_judged: int | Unset = UNSET,
        n_taught: int | Unset = UNSET,
        min_win_rate: float | Unset = UNSET,
        max_kl: float | Unset | None = UNSET,
        max_length: float | Unset | None = UNSET,
        gate_days: int | Unset = UNSET,
        suites: int | Unset | None = UNSET,
        on_fall: str | Unset | None = UNSET,
        trigger: TriggerEnum | Unset = UNSET,
        cron: str | Unset | None = UNSET,
        time_zone: str | Unset = UNSET,
        n_new: int | Unset | None = UNSET,
        accuracy_drop: float | Unset | None = UNSET,
        n_fresh_pairs: int | Unset | None = UNSET,
        judge: int | Unset | None = UNSET,
        skips_nothing_new: bool | Unset = UNSET,
        min_interval_h: int | Unset | None = UNSET,
        max_runs_a_week: int | Unset | None = UNSET,
        quiet_from: str | Unset | None = UNSET,
        quiet_until: str | Unset | None = UNSET,
        name: str | Unset = UNSET,
        base_model: int | Unset = UNSET,
        goes_on: bool | Unset = UNSET,
        reward_model: int | Unset | None = UNSET,
        reward_base: int | Unset | None = UNSET,
        campaigns: Sequence[int] | Unset | None = UNSET,
        includes_imports: bool | Unset = UNSET,
        text: int | Unset = UNSET,
        n_gpus: int | Unset | None = UNSET,
        n_processes: int | Unset | None = UNSET,
        strategy: StrategyEnum | Unset | None = UNSET,
        approvals: Sequence[str] | Unset | None = UNSET,
        settings: Mapping[str, str] | Unset = UNSET,
    ) -> Call[Schedule]:
        """Create a schedule, by the same rules as its page. It starts as its trigger says.

        `memory_gb`: Memory (GB). Memory needed on each GPU, or on the machine if no GPU
        is requested.

        `n_machines`: Machines. Each with the same number of processes and GPUs, and the
        same memory. They start together.

        `trains_watchdog`: Train a second reward model. It watches PPO and is never
        trained on: PPO stops when its reward falls. It takes two fifths of the
        comparisons and adds one reward model run to each chain. Used when PPO's settings
        stop on a watchdog drop, as balanced and thorough do.

        `ptx_text`: Text for PPO-ptx. Mixed into PPO, so that the model does not forget
        its pretraining. Needed by settings with γ above 0, such as thorough.

        `n_prompts`: Prompts to practise on. Training prompts, drawn for each chain, those
        used least first. Leave empty for all.

        `max_uses`: Chains per prompt. No prompt is practised in more chains than this.
        Leave empty for no limit.

        `n_candidates`: Responses to choose from. Per prompt. The model learns from the
        one the reward model scores highest.

        `keeps_earlier`: Also learn from the best of earlier chains. Without this, Llama 2
        forgot what earlier models could do.

        `pool`: Pool of raters

        `guideline`: Guideline

        `n_responses`: Responses per comparison. Taken evenly from each answering model.

        `overlap`: Raters per item

        `n_judged`: Test prompts. Raters compare the models on them. They are never
        learned from.

        `n_taught`: Other prompts. In the same campaign. The next chain learns from their
        comparisons.

        `min_win_rate`: Minimum win rate (%). The lower end of the interval (95 %) must
        reach it.

        `max_kl`: Maximum KL. In nats per response. Leave empty for no limit.

        `max_length`: Maximum length. As a multiple of the current model's responses.
        Leave empty for no limit.

        `gate_days`: Days for the raters. After that, a person decides on what there is.

        `suites`: Suites. The new model and the current one answer them. Leave empty for
        none.

        `on_fall`: If a score falls. By more than chance explains, on any of the suites.

        `trigger`: Starts

        `cron`: At set times. Minute, hour, day of month, month, day of week. “0 3 * *
        mon” is Mondays at 03:00.

        `time_zone`: Time zone. Type a city to find it.

        `n_new`: On new answers: how many. Since the last run.

        `accuracy_drop`: On accuracy drop: points. How much lower than on its own held-out
        pairs, and more than chance explains. Measured at the times above, by a separate
        run.

        `n_fresh_pairs`: On accuracy drop: minimum new pairs. Answers given after the
        reward model's snapshot, on items it has not seen.

        `judge`: On accuracy drop: reward model. Later, the newest one of this schedule.

        `skips_nothing_new`: Skip when nothing is new

        `min_interval_h`: Minimum hours between runs

        `max_runs_a_week`: Max runs in 7 days. Leave empty for no budget.

        `quiet_from`: Quiet from. Nothing starts automatically during quiet hours.

        `quiet_until`: Until

        `name`: Name

        `base_model`: Starts from

        `goes_on`: Later chains continue from the schedule's current model. The last model
        that passed the gate; without a gate, the newest.

        `reward_model`: Scored by. An existing reward model is used as it is; nothing is
        learned from comparisons.

        `reward_base`: Reward model starts from

        `campaigns`: Answers from these campaigns. Leave empty to include all, also later
        ones.

        `includes_imports`: Include imported answers

        `text`: Text to pretrain on

        `n_gpus`: GPUs per run. 0: any node.

        `n_processes`: Processes. For runs that can share their work: one per GPU.

        `strategy`: Parallelism

        `approvals`: Require approval before. You'll be notified.

        `settings`: By kind of run: `preset:balanced`, `run:12` for the settings of an
        earlier run, or `kept` for the current ones.

        `template`: The kind of chain it starts.
        """
        return post(
            Schedule,
            "schedules",
            {"template": template}
            | given(
                {
                    "memory_gb": memory_gb,
                    "n_machines": n_machines,
                    "trains_watchdog": trains_watchdog,
                    "ptx_text": ptx_text,
                    "n_prompts": n_prompts,
                    "max_uses": max_uses,
                    "n_candidates": n_candidates,
                    "keeps_earlier": keeps_earlier,
                    "pool": pool,
                    "guideline": guideline,
                    "n_responses": n_responses,
                    "overlap": overlap,
                    "n_judged": n_judged,
                    "n_taught": n_taught,
                    "min_win_rate": min_win_rate,
                    "max_kl": max_kl,
                    "max_length": max_length,
                    "gate_days": gate_days,
                    "suites": suites,
                    "on_fall": on_fall,
                    "trigger": trigger,
                    "cron": cron,
                    "time_zone": time_zone,
                    "n_new": n_new,
                    "accuracy_drop": accuracy_drop,
                    "n_fresh_pairs": n_fresh_pairs,
                    "judge": judge,
                    "skips_nothing_new": skips_nothing_new,
                    "min_interval_h": min_interval_h,
                    "max_runs_a_week": max_runs_a_week,
                    "quiet_from": quiet_from,
                    "quiet_until": quiet_until,
                    "name": name,
                    "base_model": base_model,
                    "goes_on": goes_on,
                    "reward_model": reward_model,
                    "reward_base": reward_base,
                    "campaigns": campaigns,
                    "includes_imports": includes_imports,
                    "text": text,
                    "n_gpus": n_gpus,
                    "n_processes": n_processes,
                    "strategy": strategy,
                    "approvals": approvals,
                    "settings": settings,
                }
            ),
        )

    @operation
    def read_schedule(self, schedule_id: int) -> Call[Schedule]:
        """One schedule: its plan and when it runs next."""
        return get(Schedule, f"schedules/{schedule_id}")

    @operation
    def update_schedule(
        self,
        schedule_id: int,
        *,
        memory_gb: int | Unset | None = UNSET,
        n_machines: int | Unset | None = UNSET,
        trains_watchdog: bool | Unset = UNSET,
        ptx_text: int | Unset | None = UNSET,
        n_prompts: int | Unset | None = UNSET,
        max_uses: int | Unset | None = UNSET,
        n_candidates: int | Unset = UNSET,
        keeps_earlier: bool | Unset = UNSET,
        pool: int | Unset = UNSET,
        guideline: int | Unset = UNSET,
        n_responses: int | Unset = UNSET,
        overlap: int | Unset = UNSET,
        n_judged: int | Unset = UNSET,
        n_taught: int | Unset = UNSET,
        min_win_rate: float | Unset = UNSET,
        max_kl: float | Unset | None = UNSET,
        max_length: float | Unset | None = UNSET,
        gate_days: int | Unset = UNSET,
        suites: int | Unset | None = UNSET,
        on_fall: str | Unset | None = UNSET,
        trigger: TriggerEnum | Unset = UNSET,
        cron: str | Unset | None = UNSET,
        time_zone: str | Unset = UNSET,
        n_new: int | Unset | None = UNSET,
        accuracy_drop: float | Unset | None = UNSET,
        n_fresh_pairs: int | Unset | None = UNSET,
        judge: int | Unset | None = UNSET,
        skips_nothing_new: bool | Unset = UNSET,
        min_interval_h: int | Unset | None = UNSET,
        max_runs_a_week: int | Unset | None = UNSET,
        quiet_from: str | Unset | None = UNSET,
        quiet_until: str | Unset | None = UNSET,
        name: str | Unset = UNSET,
        base_model: int | Unset = UNSET,
        goes_on: bool | Unset = UNSET,
        reward_model: int | Unset | None = UNSET,
        reward_base: int | Unset | None = UNSET,
        campaigns: Sequence[int] | Unset | None = UNSET,
        includes_imports: bool | Unset = UNSET,
        text: int | Unset = UNSET,
        n_gpus: int | Unset | None = UNSET,
        n_processes: int | Unset | None = UNSET,
        strategy: StrategyEnum | Unset | None = UNSET,
        approvals: Sequence[str] | Unset | None = UNSET,
        settings: Mapping[str, str] | Unset = UNSET,
    ) -> Call[Schedule]:
        """Change it. Omitted fields keep their value, and chains that have started do not
        change.

        `memory_gb`: Memory (GB). Memory needed on each GPU, or on the machine if no GPU
        is requested.

        `n_machines`: Machines. Each with the same number of processes and GPUs, and the
        same memory. They start together.

        `trains_watchdog`: Train a second reward model. It watches PPO and is never
        trained on: PPO stops when its reward falls. It takes two fifths of the
        comparisons and adds one reward model run to each chain. Used when PPO's settings
        stop on a watchdog drop, as balanced and thorough do.

        `ptx_text`: Text for PPO-ptx. Mixed into PPO, so that the model does not forget
        its pretraining. Needed by settings with γ above 0, such as thorough.

        `n_prompts`: Prompts to practise on. Training prompts, drawn for each chain, those
        used least first. Leave empty for all.

        `max_uses`: Chains per prompt. No prompt is practised in more chains than this.
        Leave empty for no limit.

        `n_candidates`: Responses to choose from. Per prompt. The model learns from the
        one the reward model scores highest.

        `keeps_earlier`: Also learn from the best of earlier chains. Without this, Llama 2
        forgot what earlier models could do.

        `pool`: Pool of raters

        `guideline`: Guideline

        `n_responses`: Responses per comparison. Taken evenly from each answering model.

        `overlap`: Raters per item

        `n_judged`: Test prompts. Raters compare the models on them. They are never
        learned from.

        `n_taught`: Other prompts. In the same campaign. The next chain learns from their
        comparisons.

        `min_win_rate`: Minimum win rate (%). The lower end of the interval (95 %) must
        reach it.

        `max_kl`: Maximum KL. In nats per response. Leave empty for no limit.

        `max_length`: Maximum length. As a multiple of the current model's responses.
        Leave empty for no limit.

        `gate_days`: Days for the raters. After that, a person decides on what there is.

        `suites`: Suites. The new model and the current one answer them. Leave empty for
        none.

        `on_fall`: If a score falls. By more than chance explains, on any of the suites.

        `trigger`: Starts

        `cron`: At set times. Minute, hour, day of month, month, day of week. “0 3 * *
        mon” is Mondays at 03:00.

        `time_zone`: Time zone. Type a city to find it.

        `n_new`: On new answers: how many. Since the last run.

        `accuracy_drop`: On accuracy drop: points. How much lower than on its own held-out
        pairs, and more than chance explains. Measured at the times above, by a separate
        run.

        `n_fresh_pairs`: On accuracy drop: minimum new pairs. Answers given after the
        reward model's snapshot, on items it has not seen.

        `judge`: On accuracy drop: reward model. Later, the newest one of this schedule.

        `skips_nothing_new`: Skip when nothing is new

        `min_interval_h`: Minimum hours between runs

        `max_runs_a_week`: Max runs in 7 days. Leave empty for no budget.

        `quiet_from`: Quiet from. Nothing starts automatically during quiet hours.

        `quiet_until`: Until

        `name`: Name

        `base_model`: Starts from

        `goes_on`: Later chains continue from the schedule's current model. The last model
        that passed the gate; without a gate, the newest.

        `reward_model`: Scored by. An existing reward model is used as it is; nothing is
        learned from comparisons.

        `reward_base`: Reward model starts from

        `campaigns`: Answers from these campaigns. Leave empty to include all, also later
        ones.

        `includes_imports`: Include imported answers

        `text`: Text to pretrain on

        `n_gpus`: GPUs per run. 0: any node.

        `n_processes`: Processes. For runs that can share their work: one per GPU.

        `strategy`: Parallelism

        `approvals`: Require approval before. You'll be notified.

        `settings`: By kind of run: `preset:balanced`, `run:12` for the settings of an
        earlier run, or `kept` for the current ones.
        """
        return patch(
            Schedule,
            f"schedules/{schedule_id}",
            given(
                {
                    "memory_gb": memory_gb,
                    "n_machines": n_machines,
                    "trains_watchdog": trains_watchdog,
                    "ptx_text": ptx_text,
                    "n_prompts": n_prompts,
                    "max_uses": max_uses,
                    "n_candidates": n_candidates,
                    "keeps_earlier": keeps_earlier,
                    "pool": pool,
                    "guideline": guideline,
                    "n_responses": n_responses,
                    "overlap": overlap,
                    "n_judged": n_judged,
                    "n_taught": n_taught,
                    "min_win_rate": min_win_rate,
                    "max_kl": max_kl,
                    "max_length": max_length,
                    "gate_days": gate_days,
                    "suites": suites,
                    "on_fall": on_fall,
                    "trigger": trigger,
                    "cron": cron,
                    "time_zone": time_zone,
                    "n_new": n_new,
                    "accuracy_drop": accuracy_drop,
                    "n_fresh_pairs": n_fresh_pairs,
                    "judge": judge,
                    "skips_nothing_new": skips_nothing_new,
                    "min_interval_h": min_interval_h,
                    "max_runs_a_week": max_runs_a_week,
                    "quiet_from": quiet_from,
                    "quiet_until": quiet_until,
                    "name": name,
                    "base_model": base_model,
                    "goes_on": goes_on,
                    "reward_model": reward_model,
                    "reward_base": reward_base,
                    "campaigns": campaigns,
                    "includes_imports": includes_imports,
                    "text": text,
                    "n_gpus": n_gpus,
                    "n_processes": n_processes,
                    "strategy": strategy,
                    "approvals": approvals,
                    "settings": settings,
                }
            ),
        )

    @operation
    def change_schedule(
        self,
        schedule_id: int,
        *,
        memory_gb: int | Unset | None = UNSET,
        n_machines: int | Unset | None = UNSET,
        trains_watchdog: bool | Unset = UNSET,
        ptx_text: int | Unset | None = UNSET,
        n_prompts: int | Unset | None = UNSET,
        max_uses: int | Unset | None = UNSET,
        n_candidates: int | Unset = UNSET,
        keeps_earlier: bool | Unset = UNSET,
        pool: int | Unset = UNSET,
        guideline: int | Unset = UNSET,
        n_responses: int | Unset = UNSET,
        overlap: int | Unset = UNSET,
        n_judged: int | Unset = UNSET,
        n_taught: int | Unset = UNSET,
        min_win_rate: float | Unset = UNSET,
        max_kl: float | Unset | None = UNSET,
        max_length: float | Unset | None = UNSET,
        gate_days: int | Unset = UNSET,
        suites: int | Unset | None = UNSET,
        on_fall: str | Unset | None = UNSET,
        trigger: TriggerEnum | Unset = UNSET,
        cron: str | Unset | None = UNSET,
        time_zone: str | Unset = UNSET,
        n_new: int | Unset | None = UNSET,
        accuracy_drop: float | Unset | None = UNSET,
        n_fresh_pairs: int | Unset | None = UNSET,
        judge: int | Unset | None = UNSET,
        skips_nothing_new: bool | Unset = UNSET,
        min_interval_h: int | Unset | None = UNSET,
        max_runs_a_week: int | Unset | None = UNSET,
        quiet_from: str | Unset | None = UNSET,
        quiet_until: str | Unset | None = UNSET,
        name: str | Unset = UNSET,
        base_model: int | Unset = UNSET,
        goes_on: bool | Unset = UNSET,
        reward_model: int | Unset | None = UNSET,
        reward_base: int | Unset | None = UNSET,
        campaigns: Sequence[int] | Unset | None = UNSET,
        includes_imports: bool | Unset = UNSET,
        text: int | Unset = UNSET,
        n_gpus: int | Unset | None = UNSET,
        n_processes: int | Unset | None = UNSET,
        strategy: StrategyEnum | Unset | None = UNSET,
        approvals: Sequence[str] | Unset | None = UNSET,
        settings: Mapping[str, str] | Unset = UNSET,
    ) -> Call[Schedule]:
        """The same as the PATCH.

        `memory_gb`: Memory (GB). Memory needed on each GPU, or on the machine if no GPU
        is requested.

        `n_machines`: Machines. Each with the same number of processes and GPUs, and the
        same memory. They start together.

        `trains_watchdog`: Train a second reward model. It watches PPO and is never
        trained on: PPO stops when its reward falls. It takes two fifths of the
        comparisons and adds one reward model run to each chain. Used when PPO's settings
        stop on a watchdog drop, as balanced and thorough do.

        `ptx_text`: Text for PPO-ptx. Mixed into PPO, so that the model does not forget
        its pretraining. Needed by settings with γ above 0, such as thorough.

        `n_prompts`: Prompts to practise on. Training prompts, drawn for each chain, those
        used least first. Leave empty for all.

        `max_uses`: Chains per prompt. No prompt is practised in more chains than this.
        Leave empty for no limit.

        `n_candidates`: Responses to choose from. Per prompt. The model learns from the
        one the reward model scores highest.

        `keeps_earlier`: Also learn from the best of earlier chains. Without this, Llama 2
        forgot what earlier models could do.

        `pool`: Pool of raters

        `guideline`: Guideline

        `n_responses`: Responses per comparison. Taken evenly from each answering model.

        `overlap`: Raters per item

        `n_judged`: Test prompts. Raters compare the models on them. They are never
        learned from.

        `n_taught`: Other prompts. In the same campaign. The next chain learns from their
        comparisons.

        `min_win_rate`: Minimum win rate (%). The lower end of the interval (95 %) must
        reach it.

        `max_kl`: Maximum KL. In nats per response. Leave empty for no limit.

        `max_length`: Maximum length. As a multiple of the current model's responses.
        Leave empty for no limit.

        `gate_days`: Days for the raters. After that, a person decides on what there is.

        `suites`: Suites. The new model and the current one answer them. Leave empty for
        none.

        `on_fall`: If a score falls. By more than chance explains, on any of the suites.

        `trigger`: Starts

        `cron`: At set times. Minute, hour, day of month, month, day of week. “0 3 * *
        mon” is Mondays at 03:00.

        `time_zone`: Time zone. Type a city to find it.

        `n_new`: On new answers: how many. Since the last run.

        `accuracy_drop`: On accuracy drop: points. How much lower than on its own held-out
        pairs, and more than chance explains. Measured at the times above, by a separate
        run.

        `n_fresh_pairs`: On accuracy drop: minimum new pairs. Answers given after the
        reward model's snapshot, on items it has not seen.

        `judge`: On accuracy drop: reward model. Later, the newest one of this schedule.

        `skips_nothing_new`: Skip when nothing is new

        `min_interval_h`: Minimum hours between runs

        `max_runs_a_week`: Max runs in 7 days. Leave empty for no budget.

        `quiet_from`: Quiet from. Nothing starts automatically during quiet hours.

        `quiet_until`: Until

        `name`: Name

        `base_model`: Starts from

        `goes_on`: Later chains continue from the schedule's current model. The last model
        that passed the gate; without a gate, the newest.

        `reward_model`: Scored by. An existing reward model is used as it is; nothing is
        learned from comparisons.

        `reward_base`: Reward model starts from

        `campaigns`: Answers from these campaigns. Leave empty to include all, also later
        ones.

        `includes_imports`: Include imported answers

        `text`: Text to pretrain on

        `n_gpus`: GPUs per run. 0: any node.

        `n_processes`: Processes. For runs that can share their work: one per GPU.

        `strategy`: Parallelism

        `approvals`: Require approval before. You'll be notified.

        `settings`: By kind of run: `preset:balanced`, `run:12` for the settings of an
        earlier run, or `kept` for the current ones.
        """
        return post(
            Schedule,
            f"schedules/{schedule_id}/change",
            given(
                {
                    "memory_gb": memory_gb,
                    "n_machines": n_machines,
                    "trains_watchdog": trains_watchdog,
                    "ptx_text": ptx_text,
                    "n_prompts": n_prompts,
                    "max_uses": max_uses,
                    "n_candidates": n_candidates,
                    "keeps_earlier": keeps_earlier,
                    "pool": pool,
                    "guideline": guideline,
                    "n_responses": n_responses,
                    "overlap": overlap,
                    "n_judged": n_judged,
                    "n_taught": n_taught,
                    "min_win_rate": min_win_rate,
                    "max_kl": max_kl,
                    "max_length": max_length,
                    "gate_days": gate_days,
                    "suites": suites,
                    "on_fall": on_fall,
                    "trigger": trigger,
                    "cron": cron,
                    "time_zone": time_zone,
                    "n_new": n_new,
                    "accuracy_drop": accuracy_drop,
                    "n_fresh_pairs": n_fresh_pairs,
                    "judge": judge,
                    "skips_nothing_new": skips_nothing_new,
                    "min_interval_h": min_interval_h,
                    "max_runs_a_week": max_runs_a_week,
                    "quiet_from": quiet_from,
                    "quiet_until": quiet_until,
                    "name": name,
                    "base_model": base_model,
                    "goes_on": goes_on,
                    "reward_model": reward_model,
                    "reward_base": reward_base,
                    "campaigns": campaigns,
                    "includes_imports": includes_imports,
                    "text": text,
                    "n_gpus": n_gpus,
                    "n_processes": n_processes,
                    "strategy": strategy,
                    "approvals": approvals,
                    "settings": settings,
                }
            ),
        )

    @operation
    def fire_schedule(self, schedule_id: int) -> Call[Schedule]:
        """Start a chain now, unless one is open."""
        return post(Schedule, f"schedules/{schedule_id}/fire")

    @operation
    def pause_schedule(self, schedule_id: int) -> Call[Schedule]:
        """Nothing fires automatically until it is resumed. Changes nothing if it is already
        paused.
        """
        return post(Schedule, f"schedules/{schedule_id}/pause")

    @operation
    def resume_schedule(self, schedule_id: int) -> Call[Schedule]:
        """Resume the schedule. It next runs at its next time; missed times are skipped."""
        return post(Schedule, f"schedules/{schedule_id}/resume")

    @listing
    def list_scorecards(
        self,
        *,
        area: Literal["capability", "safety", "over-refusal", "honesty", "reward"] | None = None,
    ) -> Listing[ScoredModel]:
        """Models with scores, newest first, and their score on each suite."""
        return pages(ScoredModel, "scorecards", area=area)

    @operation
    def compare_models(self, *, models: str) -> Call[Scorecard]:
        """Several models beside each other, with the differences to the first.

        `models`: IDs of up to 6 models, with commas. The first is the baseline; unknown
        ones are left out.
        """
        return get(Scorecard, "scorecards/compare", models=models)

    @listing
    def list_snapshots(
        self,
        *,
        kind: Literal["demonstrations", "comparisons", "prompts", "text", "suites"] | None = None,
    ) -> Listing[Snapshot]:
        """Snapshots, newest first."""
        return pages(Snapshot, "snapshots", kind=kind)

    @operation
    def cut_snapshot(
        self, *, kind: NewSnapshotKindEnum, name: str, filters: Mapping[str, Any] | Unset = UNSET
    ) -> Call[Snapshot]:
        """Create a snapshot of the current judgments or prompts.

        `kind`: Snapshots of text can only be created on the site, from a file. Benchmark
        runs make those of suites.
        """
        return post(
            Snapshot, "snapshots", {"kind": kind, "name": name} | given({"filters": filters})
        )

    @operation
    def read_snapshot(self, snapshot_id: int) -> Call[Snapshot]:
        """One snapshot with its card."""
        return get(Snapshot, f"snapshots/{snapshot_id}")

    @download
    def export_snapshot(
        self,
        snapshot_id: int,
        path: str | PathLike[str],
        *,
        file_format: Literal["jsonl", "parquet"] | None = None,
        split: Literal["train", "validation", "test"] | None = None,
    ) -> Download:
        """Download a split as JSONL or Parquet. Rows of people who have withdrawn are left
        out.
        """
        return fetch(f"snapshots/{snapshot_id}/file", path, file_format=file_format, split=split)

    @listing
    def list_snapshot_ledger(
        self, snapshot_id: int, *, rule: str | None = None
    ) -> Listing[LedgerEntry]:
        """What the recipe of a snapshot removed or changed. Empty without a recipe.

        `rule`: Only what this rule removed or changed.
        """
        return pages(LedgerEntry, f"snapshots/{snapshot_id}/ledger", rule=rule)

    @operation
    def restore_snapshot_document(self, snapshot_id: int, document: str) -> Call[RestoredDocument]:
        """Keep a removed document whenever this recipe runs again. Safe to repeat.

        `document`: An `id` of the ledger.
        """
        return post(RestoredDocument, f"snapshots/{snapshot_id}/restore", {"document": document})

    @listing
    def list_snapshot_rows(
        self, snapshot_id: int, *, split: Literal["train", "validation", "test"] | None = None
    ) -> Listing[dict[str, Any]]:
        """The rows of a split in their order. `cursor` is the number of rows to skip."""
        return pages(dict[str, Any], f"snapshots/{snapshot_id}/rows", split=split)

    @operation
    def verify_snapshot(self, snapshot_id: int) -> Call[Verified]:
        """Read its files and compare them with the fingerprint."""
        return get(Verified, f"snapshots/{snapshot_id}/verify")

    @listing
    def list_onboarding_steps(
        self, *, is_retired: bool | None = None, pool: int | None = None
    ) -> Listing[OnboardingStep]:
        """Steps of pools' onboarding, newest first. `position` has the order."""
        return pages(OnboardingStep, "steps", is_retired=is_retired, pool=pool)

    @operation
    def create_onboarding_step(
        self,
        *,
        pool: int,
        kind: OnboardingStepKind,
        title: str | Unset = UNSET,
        text: str | Unset = UNSET,
        guideline: int | Unset = UNSET,
        questions: Sequence[Mapping[str, Any]] | Unset = UNSET,
        passing_score: float | Unset = UNSET,
        max_attempts: int | Unset = UNSET,
        needs_decision: bool | Unset = UNSET,
        paid_minutes: int | Unset = UNSET,
    ) -> Call[OnboardingStep]:
        """Add a step at the end of a pool's onboarding. Current raters take it before their
        next item.

        `text`: Markdown.

        `guideline`: For `guideline`: its ID.

        `passing_score`: In percent; for `demonstrations` the mean score, 1 to 7.

        `max_attempts`: After the last, an admin decides.

        `needs_decision`: An admin decides on every attempt.

        `paid_minutes`: Paid for each attempt.
        """
        return post(
            OnboardingStep,
            "steps",
            {"pool": pool, "kind": kind}
            | given(
                {
                    "title": title,
                    "text": text,
                    "guideline": guideline,
                    "questions": questions,
                    "passing_score": passing_score,
                    "max_attempts": max_attempts,
                    "needs_decision": needs_decision,
                    "paid_minutes": paid_minutes,
                }
            ),
        )

    @operation
    def read_onboarding_step(self, step_id: int) -> Call[OnboardingStep]:
        """One step with its current version."""
        return get(OnboardingStep, f"steps/{step_id}")

    @operation
    def change_onboarding_step(
        self,
        step_id: int,
        *,
        title: str | Unset = UNSET,
        text: str | Unset = UNSET,
        guideline: int | Unset = UNSET,
        questions: Sequence[Mapping[str, Any]] | Unset = UNSET,
        passing_score: float | Unset = UNSET,
        max_attempts: int | Unset = UNSET,
        needs_decision: bool | Unset = UNSET,
        paid_minutes: int | Unset = UNSET,
        is_major: bool | Unset = UNSET,
    ) -> Call[OnboardingStep]:
        """Change a step. A changed text or question becomes its next version.

        `text`: Markdown.

        `guideline`: For `guideline`: its ID.

        `passing_score`: In percent; for `demonstrations` the mean score, 1 to 7.

        `max_attempts`: After the last, an admin decides.

        `needs_decision`: An admin decides on every attempt.

        `paid_minutes`: Paid for each attempt.

        `is_major`: Everyone must repeat the step.
        """
        return patch(
            OnboardingStep,
            f"steps/{step_id}",
            given(
                {
                    "title": title,
                    "text": text,
                    "guideline": guideline,
                    "questions": questions,
                    "passing_score": passing_score,
                    "max_attempts": max_attempts,
                    "needs_decision": needs_decision,
                    "paid_minutes": paid_minutes,
                    "is_major": is_major,
                }
            ),
        )

    @operation
    def move_onboarding_step(self, step_id: int, places: int) -> Call[OnboardingStep]:
        """Move it up or down in the pool's onboarding. Changes nothing beyond the ends.

        `places`: -1 is one up, 1 is one down.
        """
        return post(OnboardingStep, f"steps/{step_id}/move", {"places": places})

    @operation
    def retire_onboarding_step(self, step_id: int) -> Call[OnboardingStep]:
        """Stop asking raters to take it. Attempts stay. Changes nothing if it is retired."""
        return post(OnboardingStep, f"steps/{step_id}/retire")

    @listing
    def list_onboarding_step_versions(self, step_id: int) -> Listing[StepVersion]:
        """Its versions, newest first."""
        return pages(StepVersion, f"steps/{step_id}/versions")

    @listing
    def list_storage(self) -> Listing[Holding]:
        """What runs, models and snapshots use, largest first, and why each is kept."""
        return pages(Holding, "storage")

    @operation
    def free_storage(self, keys: Sequence[str]) -> Call[Freed]:
        """Delete the checkpoints and weights of these runs and models for good, as far as
        they are freeable. Each is checked again.
        """
        return post(Freed, "storage/free", {"keys": keys})

    @listing
    def list_suites(
        self,
        *,
        shown: Literal["capability", "safety", "over-refusal", "honesty", "reward", "retired"]
        | None = None,
    ) -> Listing[Suite]:
        """Suites, newest first.

        `shown`: An area, or `retired`. Leave it out for all that new runs are offered.
        """
        return pages(Suite, "suites", shown=shown)

    @operation
    def upload_suite(
        self,
        items: str,
        *,
        suite: str | Unset = UNSET,
        task: str | Unset = UNSET,
        shape: NewSuiteShapeEnum | Unset = UNSET,
        licence: str | Unset = UNSET,
        version: str | Unset = UNSET,
        name: str | Unset = UNSET,
        slug: str | Unset = UNSET,
        area: SuiteArea | Unset = UNSET,
        scorer: ScorerEnum | Unset = UNSET,
        source: str | Unset = UNSET,
    ) -> Call[Suite]:
        """Store a suite. If anything is wrong with it nothing is stored, and `errors` has
        every problem with its line.

        `items`: The text of items.jsonl, or of a public file such as XSTest's CSV.

        `suite`: The text of suite.yaml.

        `task`: Kind `lm-eval` only: the YAML of the task.

        `shape`: The format, if the columns do not tell it.
        """
        return post(
            Suite,
            "suites",
            {"items": items}
            | given(
                {
                    "suite": suite,
                    "task": task,
                    "shape": shape,
                    "licence": licence,
                    "version": version,
                    "name": name,
                    "slug": slug,
                    "area": area,
                    "scorer": scorer,
                    "source": source,
                }
            ),
        )

    @operation
    def read_suite(self, suite_id: int) -> Call[Suite]:
        """One suite, without its items."""
        return get(Suite, f"suites/{suite_id}")

    @operation
    def bring_back_suite(self, suite_id: int) -> Call[Suite]:
        """Offer it to new runs again. Changes nothing if it is not retired."""
        return post(Suite, f"suites/{suite_id}/bring-back")

    @listing
    def list_suite_items(self, suite_id: int) -> Listing[SuiteItem]:
        """The items of a suite in the order of its file."""
        return pages(SuiteItem, f"suites/{suite_id}/items")

    @operation
    def retire_suite(self, suite_id: int) -> Call[Suite]:
        """No longer offer it to new runs; its scores stay. Changes nothing if it is retired."""
        return post(Suite, f"suites/{suite_id}/retire")

    @operation
    def use_attacks(self, attacks: Sequence[int]) -> Call[Suite]:
        """Put successful attacks of raters to use: items of a new version of the suite
        `attacks-by-people`, better answers for raters to write, and pairs to compare. 409
        if one of them is in use or did not succeed; then none is used.

        `attacks`: IDs of attacks.
        """
        return post(Suite, "suites/found-attacks", {"attacks": attacks})

    @operation
    def load_shipped_suites(self) -> Call[LoadedSuites]:
        """Add the suites that come with the product and are missing."""
        return post(LoadedSuites, "suites/shipped")

    @listing
    def list_webhooks(self) -> Listing[Webhook]:
        """Webhooks, newest first."""
        return pages(Webhook, "webhooks")

    @operation
    def create_webhook(
        self, *, name: str, url: str, events: Sequence[EventsEnum]
    ) -> Call[WebhookSecret]:
        """Create a webhook. It receives events from now on, signed with the secret in this
        response.
        """
        return post(
            WebhookSecret,
            "webhooks",
            {"name": name, "url": url, "events": events},
            is_repeatable=False,
        )

    @operation
    def read_webhook(self, webhook_id: int) -> Call[Webhook]:
        """One webhook, without its secret."""
        return get(Webhook, f"webhooks/{webhook_id}")

    @operation
    def change_webhook(
        self,
        webhook_id: int,
        *,
        name: str | Unset = UNSET,
        url: str | Unset = UNSET,
        events: Sequence[EventsEnum] | Unset = UNSET,
    ) -> Call[Webhook]:
        """Change its name, URL or events. Pending messages go to the new URL."""
        return patch(
            Webhook, f"webhooks/{webhook_id}", given({"name": name, "url": url, "events": events})
        )

    @operation
    def delete_webhook(self, webhook_id: int) -> Call[None]:
        """Delete the webhook and its deliveries permanently."""
        return delete(f"webhooks/{webhook_id}")

    @listing
    def list_webhook_deliveries(self, webhook_id: int) -> Listing[Delivery]:
        """Its messages of the last thirty days, newest first."""
        return pages(Delivery, f"webhooks/{webhook_id}/deliveries")

    @operation
    def disable_webhook(self, webhook_id: int) -> Call[Webhook]:
        """Stop recording and sending events. Pending messages wait until it is enabled."""
        return post(Webhook, f"webhooks/{webhook_id}/disable")

    @operation
    def enable_webhook(self, webhook_id: int) -> Call[Webhook]:
        """Resume with events from now on, and send what was pending."""
        return post(Webhook, f"webhooks/{webhook_id}/enable")

    @operation
    def end_webhook_secret(self, webhook_id: int) -> Call[Webhook]:
        """Stop signing with the previous secret. Changes nothing if only one is valid."""
        return post(Webhook, f"webhooks/{webhook_id}/end-secret")

    @operation
    def rotate_webhook_secret(self, webhook_id: int) -> Call[WebhookSecret]:
        """Create a new secret. For three days messages are also signed with the previous
        one. 409 while two secrets are valid.
        """
        return post(WebhookSecret, f"webhooks/{webhook_id}/rotate", is_repeatable=False)

    @listing
    def list_withdrawals(self) -> Listing[Withdrawal]:
        """Raters who have withdrawn, newest first."""
        return pages(Withdrawal, "withdrawals")

    @operation
    def withdraw_rater(self, rater: int) -> Call[Withdrawal]:
        """Withdraw a rater: their answers stop counting, what they wrote is shown to nobody,
        and they get no more items. Changes nothing if they have withdrawn.
        """
        return post(Withdrawal, "withdrawals", {"rater": rater})

    @operation
    def read_withdrawal(self, withdrawal_id: int) -> Call[Withdrawal]:
        """One rater, by their ID."""
        return get(Withdrawal, f"withdrawals/{withdrawal_id}")

    @operation
    def readmit_rater(self, withdrawal_id: int) -> Call[Withdrawal]:
        """Undo a withdrawal that was a mistake. Add the rater to pools again yourself."""
        return post(Withdrawal, f"withdrawals/{withdrawal_id}/readmit")

    @operation
    def read_withdrawal_traces(self, withdrawal_id: int) -> Call[Touched]:
        """The snapshots, runs and models that the rater's answers went into."""
        return get(Touched, f"withdrawals/{withdrawal_id}/traces")
