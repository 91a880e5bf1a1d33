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
    BenchmarkAnswer,
    Campaign,
    CampaignKind,
    CampaignLineage,
    Card,
    Chain,
    Delivery,
    Estimate,
    EventsEnum,
    FormatEnum,
    Freed,
    Guideline,
    Holding,
    Import,
    ImportProblem,
    Judgment,
    JudgmentEvent,
    LedgerEntry,
    Lineage,
    LoadedSuites,
    Log,
    Model,
    ModelKind,
    ModelResponse,
    ModelStage,
    NewSnapshotKindEnum,
    Node,
    OrderEnum,
    Pool,
    PresetEnum,
    Preview,
    Prompt,
    PromptCategory,
    PromptLineage,
    PromptResponse,
    Publication,
    QueuedRun,
    Run,
    RunKind,
    Sample,
    Schedule,
    Scorecard,
    ScoredModel,
    ScorerEnum,
    SensitiveEnum,
    SentToRaters,
    ShapeEnum,
    Snapshot,
    StrategyEnum,
    Suite,
    SuiteArea,
    SuiteItem,
    TemplateEnum,
    TriggerEnum,
    Verified,
    Webhook,
    WebhookSecret,
)


class Operations:
    @listing
    def list_campaigns(
        self, *, state: Literal["draft", "open", "paused", "closed"] | None = None
    ) -> Listing[Campaign]:
        """Campaigns with their progress, newest first."""
        return pages(Campaign, "campaigns", state=state)

    @operation
    def create_campaign(
        self,
        name: str,
        kind: CampaignKind,
        *,
        pool: int,
        guideline: int,
        overlap: int | Unset = UNSET,
        n_responses: int | Unset = UNSET,
        asks_dialogue: bool | Unset = UNSET,
        lease_minutes: int | Unset = UNSET,
        order: OrderEnum | Unset = UNSET,
        priority: int | Unset = UNSET,
        prompts: Mapping[str, Any] | Unset = UNSET,
    ) -> Call[Campaign]:
        """Create a draft campaign with an item for each matching prompt. Open it to hand out
        items.

        `overlap`: Number of answers per item.

        `n_responses`: Required for comparisons, ignored otherwise.

        `asks_dialogue`: Demonstrations only: raters can continue after the answer, turn
        by turn.
        """
        return post(
            Campaign,
            "campaigns",
            {"name": name, "kind": kind, "pool": pool, "guideline": guideline}
            | given(
                {
                    "overlap": overlap,
                    "n_responses": n_responses,
                    "asks_dialogue": asks_dialogue,
                    "lease_minutes": lease_minutes,
                    "order": order,
                    "priority": priority,
                    "prompts": prompts,
                }
            ),
        )

    @operation
    def read_campaign(self, campaign_id: int) -> Call[Campaign]:
        """One campaign with its progress."""
        return get(Campaign, f"campaigns/{campaign_id}")

    @operation
    def close_campaign(self, campaign_id: int) -> Call[Campaign]:
        """Stop handing out items for good. Raters can still submit items they have open."""
        return post(Campaign, f"campaigns/{campaign_id}/close")

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
    def list_guidelines(self) -> Listing[Guideline]:
        """Guidelines, newest first. A campaign needs the id of one."""
        return pages(Guideline, "guidelines")

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
        rows: Sequence[Mapping[str, Any]],
        source: str,
        *,
        licence: str,
        format: FormatEnum | Unset = UNSET,
        columns: Mapping[str, str] | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
        name: str | Unset = UNSET,
        is_strict: bool | Unset = UNSET,
    ) -> Call[Import]:
        """Send a file or rows to be imported by a worker. Read the import until
        `finished_at` is set. Nothing is visible before all of it has been read.

        `format`: See Importing data in the docs.

        `columns`: Name that is read, such as `prompt` → heading in the file.

        `with_judgments`: Import human replies as demonstrations and rankings as
        comparisons.

        `rows`: Rows of one shape, as a line of a JSONL file has them.

        `name`: Shown in the list of imports.

        `source`: A name for the origin of the data. Raters never see it.

        `licence`: SPDX, such as CC-BY-4.0. A row's own licence comes first.

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
                    "is_strict": is_strict,
                }
            ),
        )

    @operation
    def create_import_from_file(
        self,
        file: str | PathLike[str],
        source: str,
        *,
        licence: str,
        format: FormatEnum | Unset = UNSET,
        columns: Mapping[str, str] | Unset = UNSET,
        with_judgments: bool | Unset = UNSET,
        is_strict: bool | Unset = UNSET,
    ) -> Call[Import]:
        """Send a file or rows to be imported by a worker. Read the import until
        `finished_at` is set. Nothing is visible before all of it has been read.

        `format`: See Importing data in the docs.

        `columns`: Name that is read, such as `prompt` → heading in the file.

        `with_judgments`: Import human replies as demonstrations and rankings as
        comparisons.

        `file`: JSON lines, JSON, CSV, TSV, Parquet or XLSX, also as gzip or ZIP.

        `source`: A name for the origin of the data. Raters never see it.

        `licence`: SPDX, such as CC-BY-4.0. A row's own licence comes first.

        `is_strict`: Publish nothing if any line has a problem.
        """
        return upload(
            Import,
            "imports",
            file,
            {"source": source, "licence": licence}
            | given(
                {
                    "format": format,
                    "columns": columns,
                    "with_judgments": with_judgments,
                    "is_strict": is_strict,
                }
            ),
        )

    @operation
    def read_import(self, import_id: int) -> Call[Import]:
        """One import and how far it is."""
        return get(Import, f"imports/{import_id}")

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
        format: FormatEnum | Unset = UNSET,
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
        format: FormatEnum | Unset = UNSET,
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
            file,
            given({"format": format, "columns": columns, "with_judgments": with_judgments}),
        )

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
        since: datetime | None = None,
    ) -> Listing[Judgment]:
        """Judgments, oldest first. Save `next_cursor` and use it later to get new ones.
        Starts after the id `cursor`.

        `includes_imports`: Include imported judgments. They keep the ids they had before
        their import was published.

        `since`: Only judgments submitted at or after this time.
        """
        return feed(
            Judgment,
            "judgments",
            cursor=cursor,
            campaign=campaign,
            includes_imports=includes_imports,
            since=since,
        )

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
        name: str,
        location: str,
        *,
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
        name: str,
        url: str,
        *,
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
    def list_pools(self) -> Listing[Pool]:
        """Pools, newest first."""
        return pages(Pool, "pools")

    @operation
    def create_pool(
        self, name: str, *, description: str | Unset = UNSET, is_held_out: bool | Unset = UNSET
    ) -> Call[Pool]:
        """Create a pool without raters.

        `is_held_out`: Answers from this pool are used for evaluation only, never for
        training.
        """
        return post(
            Pool,
            "pools",
            {"name": name} | given({"description": description, "is_held_out": is_held_out}),
        )

    @operation
    def read_pool(self, pool_id: int) -> Call[Pool]:
        """One pool."""
        return get(Pool, f"pools/{pool_id}")

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
        is_unused: bool | None = None,
        language: str | None = None,
        source: int | None = None,
        split: Literal["train", "validation", "test"] | None = None,
        text: str | None = None,
    ) -> Listing[Prompt]:
        """Prompts that are not retired, newest first.

        `is_unused`: Only prompts that are in no campaign.

        `text`: Words in any of the messages.
        """
        return pages(
            Prompt,
            "prompts",
            category=category,
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
    def read_publication(self, publication_id: int) -> Call[Publication]:
        """The state of a publication."""
        return get(Publication, f"publications/{publication_id}")

    @listing
    def list_runs(
        self,
        *,
        kind: Literal[
            "sft", "reward", "ppo", "dpo", "rloo", "pretrain", "sample", "evaluate", "benchmark"
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
        kind: RunKind,
        name: str,
        *,
        base_model: int,
        snapshot: int | Unset = UNSET,
        suites: Sequence[str] | Unset = UNSET,
        ptx_snapshot: int | Unset | None = UNSET,
        reward_model: int | Unset | None = UNSET,
        watchdog_model: int | Unset | None = UNSET,
        reference_model: int | Unset | None = UNSET,
        other_model: int | Unset | None = UNSET,
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
        suite: int,
        against: int,
        *,
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
        kind: RunKind,
        base_model: int,
        *,
        name: str | Unset = UNSET,
        snapshot: int | Unset = UNSET,
        suites: Sequence[str] | Unset = UNSET,
        ptx_snapshot: int | Unset | None = UNSET,
        reward_model: int | Unset | None = UNSET,
        watchdog_model: int | Unset | None = UNSET,
        reference_model: int | Unset | None = UNSET,
        other_model: int | Unset | None = UNSET,
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
        self, kind: NewSnapshotKindEnum, name: str, *, filters: Mapping[str, Any] | Unset = UNSET
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

    @listing
    def list_snapshot_ledger(
        self, snapshot_id: int, *, rule: str | None = None
    ) -> Listing[LedgerEntry]:
        """What the recipe of a snapshot of text removed or changed. Empty without a recipe.

        `rule`: One rule's name.
        """
        return pages(LedgerEntry, f"snapshots/{snapshot_id}/ledger", rule=rule)

    @operation
    def verify_snapshot(self, snapshot_id: int) -> Call[Verified]:
        """Read its files and compare them with the fingerprint."""
        return get(Verified, f"snapshots/{snapshot_id}/verify")

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
        shape: ShapeEnum | Unset = UNSET,
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
    def load_shipped_suites(self) -> Call[LoadedSuites]:
        """Add the suites that come with the product and are missing."""
        return post(LoadedSuites, "suites/shipped")

    @listing
    def list_webhooks(self) -> Listing[Webhook]:
        """Webhooks, newest first."""
        return pages(Webhook, "webhooks")

    @operation
    def create_webhook(
        self, name: str, url: str, *, events: Sequence[EventsEnum]
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
