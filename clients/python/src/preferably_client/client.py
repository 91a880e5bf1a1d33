"""The client: one method per operation of the schema, with the operation's name."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any

from preferably_client.connection import Connection, Json, answer_of
from preferably_client.rows import (
    Campaign,
    Card,
    Chain,
    Estimate,
    Guideline,
    Judgment,
    JudgmentEvent,
    Log,
    LogLine,
    Model,
    Point,
    Pool,
    Prompt,
    Publication,
    Run,
    Sample,
    Schedule,
    Scorecard,
    Snapshot,
    Suite,
    Webhook,
    WebhookSecret,
    read,
)


class Preferably(Connection):
    """One site, as one person."""

    # --- prompts ----------------------------------------------------------------------------------

    def list_prompts(self, **wanted: Any) -> Iterator[Prompt]:
        """Newest first. `wanted`: text, category, split, language, source, is_unused."""
        return self._rows(Prompt, "prompts", wanted)

    def read_prompt(self, prompt_id: int) -> Prompt:
        return read(Prompt, self._get(f"prompts/{prompt_id}"))

    def create_prompt(self, messages: Sequence[Mapping[str, str]], **about: Any) -> Prompt:
        """`about`: category, language, split, licence, sensitive, constraints."""
        return read(
            Prompt,
            self._post("prompts", {"messages": [dict(message) for message in messages]} | about),
        )

    # --- pools, guidelines, campaigns -------------------------------------------------------------

    def list_pools(self) -> Iterator[Pool]:
        return self._rows(Pool, "pools", {})

    def read_pool(self, pool_id: int) -> Pool:
        return read(Pool, self._get(f"pools/{pool_id}"))

    def create_pool(self, name: str, *, description: str = "", is_held_out: bool = False) -> Pool:
        return read(
            Pool,
            self._post(
                "pools", {"name": name, "description": description, "is_held_out": is_held_out}
            ),
        )

    def list_guidelines(self) -> Iterator[Guideline]:
        return self._rows(Guideline, "guidelines", {})

    def list_campaigns(self, *, state: str | None = None) -> Iterator[Campaign]:
        return self._rows(Campaign, "campaigns", {"state": state})

    def read_campaign(self, campaign_id: int) -> Campaign:
        return read(Campaign, self._get(f"campaigns/{campaign_id}"))

    def create_campaign(
        self, name: str, kind: str, *, pool: int, guideline: int, **about: Any
    ) -> Campaign:
        """Creates a draft. `about`: overlap, n_responses, lease_minutes, order, priority, prompts
        (the selection).
        """
        body = {"name": name, "kind": kind, "pool": pool, "guideline": guideline} | about
        return read(Campaign, self._post("campaigns", body))

    def open_campaign(self, campaign_id: int) -> Campaign:
        return read(Campaign, self._post(f"campaigns/{campaign_id}/open"))

    def pause_campaign(self, campaign_id: int) -> Campaign:
        return read(Campaign, self._post(f"campaigns/{campaign_id}/pause"))

    def close_campaign(self, campaign_id: int) -> Campaign:
        return read(Campaign, self._post(f"campaigns/{campaign_id}/close"))

    # --- judgments --------------------------------------------------------------------------------

    def list_judgments(
        self,
        *,
        cursor: int = 0,
        campaign: int | None = None,
        since: datetime | None = None,
        includes_imports: bool = False,
    ) -> Iterator[Judgment]:
        """Oldest first, from after the id `cursor` to the newest."""
        at, imports = since and since.isoformat(), "true" if includes_imports else None
        query = {"campaign": campaign, "since": at, "includes_imports": imports}
        return self._feed(Judgment, "judgments", query, cursor)

    def list_judgment_events(self, *, cursor: int = 0) -> Iterator[JudgmentEvent]:
        """Judgments that stopped counting or count again, oldest first, after id `cursor`."""
        return self._feed(JudgmentEvent, "judgment-events", {}, cursor)

    # --- snapshots --------------------------------------------------------------------------------

    def list_snapshots(self, *, kind: str | None = None) -> Iterator[Snapshot]:
        return self._rows(Snapshot, "snapshots", {"kind": kind})

    def read_snapshot(self, snapshot_id: int) -> Snapshot:
        return read(Snapshot, self._get(f"snapshots/{snapshot_id}"))

    def cut_snapshot(self, kind: str, name: str, **filters: Any) -> Snapshot:
        """`filters`: campaigns, includes_imports, includes_extra, best_of, categories, licences,
        splits, limit.
        """
        return read(
            Snapshot, self._post("snapshots", {"kind": kind, "name": name, "filters": filters})
        )

    # --- suites -----------------------------------------------------------------------------------

    def list_suites(self, *, shown: str | None = None) -> Iterator[Suite]:
        """`shown`: an area, or “retired”."""
        return self._rows(Suite, "suites", {"shown": shown})

    def read_suite(self, suite_id: int) -> Suite:
        return read(Suite, self._get(f"suites/{suite_id}"))

    def upload_suite(self, items: str, *, suite: str | None = None, **more: Any) -> Suite:
        """`items` and `suite`: the texts of items.jsonl and suite.yaml. `more`: shape, licence,
        version, name, slug, area, scorer, source, task.
        """
        body = {"items": items, **more} | ({"suite": suite} if suite is not None else {})
        return read(Suite, self._post("suites", body))

    def retire_suite(self, suite_id: int) -> Suite:
        return read(Suite, self._post(f"suites/{suite_id}/retire"))

    def bring_back_suite(self, suite_id: int) -> Suite:
        return read(Suite, self._post(f"suites/{suite_id}/bring-back"))

    # --- runs -------------------------------------------------------------------------------------

    def list_runs(
        self, *, kind: str | None = None, state: str | None = None, words: str | None = None
    ) -> Iterator[Run]:
        """`state`: a state or an outcome."""
        return self._rows(Run, "runs", {"kind": kind, "state": state, "words": words})

    def read_run(self, run_id: int) -> Run:
        return read(Run, self._get(f"runs/{run_id}"))

    def queue_run(
        self,
        kind: str,
        name: str,
        *,
        snapshot: int | None = None,
        base_model: int,
        reward_model: int | None = None,
        watchdog_model: int | None = None,
        preset: str | None = None,
        config: Mapping[str, Any] | None = None,
        n_gpus: int = 0,
        memory_gb: int = 0,
        **more: Any,
    ) -> Run:
        """Only a node with `n_gpus` of `memory_gb` each takes it. `more`: n_processes, n_machines,
        strategy, offloads, priority, tags, remarks, is_dry, other_model, reference_model,
        ptx_snapshot; for a benchmark, `suites` (ids or slugs) in place of the snapshot.
        """
        body: Json = {
            "kind": kind,
            "name": name,
            "base_model": base_model,
            "config": dict(config or {}),
        }
        body |= {"n_gpus": n_gpus, "memory_gb": memory_gb} | more
        optional = {
            "snapshot": snapshot,
            "reward_model": reward_model,
            "watchdog_model": watchdog_model,
            "preset": preset,
        }
        return read(
            Run,
            self._post(
                "runs", body | {key: value for key, value in optional.items() if value is not None}
            ),
        )

    def estimate_run(self, kind: str, *, base_model: int, **more: Any) -> Estimate:
        """Estimates a run without queuing it. `more`: the arguments of queue_run, such as its
        snapshot.
        """
        return read(
            Estimate,
            self._post(
                "runs/estimate",
                {"kind": kind, "base_model": base_model} | more,
            ),
        )

    def extend_run(self, run_id: int, amount: int, *, name: str = "") -> Run:
        """Queues a run that continues from the final state up to `amount` epochs, steps or episodes
        in total.
        """
        return read(Run, self._post(f"runs/{run_id}/extend", {"amount": amount, "name": name}))

    def move_run(self, run_id: int, places: int) -> Run:
        """Moves a queued run by `places`. Negative is towards the front."""
        return read(Run, self._post(f"runs/{run_id}/move", {"places": places}))

    def set_run_priority(self, run_id: int, priority: int) -> Run:
        """The highest priority runs first."""
        return read(Run, self._post(f"runs/{run_id}/priority", {"priority": priority}))

    def pin_run(self, run_id: int) -> Run:
        """Always keep its checkpoints."""
        return read(Run, self._post(f"runs/{run_id}/pin"))

    def unpin_run(self, run_id: int) -> Run:
        return read(Run, self._post(f"runs/{run_id}/unpin"))

    def give_up_run(self, run_id: int) -> Run:
        """Deletes the checkpoints of a failed, lost or stopped run for good."""
        return read(Run, self._post(f"runs/{run_id}/give-up"))

    def stop_run(self, run_id: int) -> Run:
        return read(Run, self._post(f"runs/{run_id}/stop"))

    def kill_run(self, run_id: int) -> Run:
        """Stops it at once and discards what it did since its last checkpoint."""
        return read(Run, self._post(f"runs/{run_id}/kill"))

    def retry_run(self, run_id: int) -> Run:
        """Continues a failed, lost or stopped run from its last checkpoint, in the same run."""
        return read(Run, self._post(f"runs/{run_id}/retry"))

    def read_run_points(self, run_id: int, *, attempt: int = 0, since: int = -1) -> Iterator[Point]:
        """Points after step `since` of `attempt`, up to the newest."""
        for page in self._point_pages(run_id, attempt, since):
            yield from (read(Point, row) for row in page["results"])

    def follow_run(self, run_id: int, *, every_s: float = 2.0) -> Iterator[Point]:
        """Yields every point until the run has ended. A resumed run repeats some steps."""
        attempt, since, state = 0, -1, ""
        while state != "finished":
            if state:
                self._pause(every_s)
            for page in self._point_pages(run_id, attempt, since):
                yield from (read(Point, row) for row in page["results"])
                attempt, since, state = page["next_attempt"], page["next_since"], page["state"]

    def list_run_samples(self, run_id: int) -> Iterator[Sample]:
        """Responses sampled during training, newest first."""
        return self._rows(Sample, f"runs/{run_id}/samples", {})

    def read_run_log(self, run_id: int, *, attempt: int | None = None, since: int = 0) -> Log:
        """The last lines of its log, or those of them after line `since` of `attempt`."""
        return read(Log, self._get(f"runs/{run_id}/log", {"attempt": attempt, "since": since}))

    def follow_run_log(self, run_id: int, *, every_s: float = 2.0) -> Iterator[LogLine]:
        """Yields every line until the run has ended."""
        log = self.read_run_log(run_id)
        yield from log.results
        while log.state != "finished":
            self._pause(every_s)
            log = self.read_run_log(run_id, attempt=log.next_attempt, since=log.next_since)
            yield from log.results

    # --- schedules --------------------------------------------------------------------------------

    def list_schedules(self) -> Iterator[Schedule]:
        return self._rows(Schedule, "schedules", {})

    def read_schedule(self, schedule_id: int) -> Schedule:
        return read(Schedule, self._get(f"schedules/{schedule_id}"))

    def create_schedule(
        self, name: str, template: str, *, base_model: int, **about: Any
    ) -> Schedule:
        """`template`: the kind of chain, such as weekly. `about`: the fields of its page, and
        `settings` by kind of run, such as {"sft": "preset:small"}. Omitted fields take the page's
        initial value.
        """
        return read(
            Schedule,
            self._post(
                "schedules", {"name": name, "template": template, "base_model": base_model} | about
            ),
        )

    def change_schedule(self, schedule_id: int, **wanted: Any) -> Schedule:
        """`wanted`: the arguments of create_schedule except the template. Omitted fields keep their
        value.
        """
        return read(Schedule, self._post(f"schedules/{schedule_id}/change", dict(wanted)))

    def pause_schedule(self, schedule_id: int) -> Schedule:
        return read(Schedule, self._post(f"schedules/{schedule_id}/pause"))

    def resume_schedule(self, schedule_id: int) -> Schedule:
        return read(Schedule, self._post(f"schedules/{schedule_id}/resume"))

    def fire_schedule(self, schedule_id: int) -> Schedule:
        return read(Schedule, self._post(f"schedules/{schedule_id}/fire"))

    # --- chains -----------------------------------------------------------------------------------

    def list_chains(
        self, *, schedule: int | None = None, state: str | None = None
    ) -> Iterator[Chain]:
        """`state`: "approval" for those that need approval."""
        return self._rows(Chain, "chains", {"schedule": schedule, "state": state})

    def read_chain(self, chain_id: int) -> Chain:
        return read(Chain, self._get(f"chains/{chain_id}"))

    def approve_chain(self, chain_id: int) -> Chain:
        """Approves the pending step; at a gate, promotes the model."""
        return read(Chain, self._post(f"chains/{chain_id}/approve"))

    def decide_chain(self, chain_id: int, *, promotes: bool) -> Chain:
        return read(Chain, self._post(f"chains/{chain_id}/decide", {"promotes": promotes}))

    def resume_chain(self, chain_id: int, *, anew: bool = False) -> Chain:
        """Retries the failed step. With `anew`, discards what its stopped run saved."""
        return read(Chain, self._post(f"chains/{chain_id}/resume", {"anew": anew}))

    def stop_chain(self, chain_id: int) -> Chain:
        """Ends it for good, also while it needs approval."""
        return read(Chain, self._post(f"chains/{chain_id}/stop"))

    # --- models -----------------------------------------------------------------------------------

    def list_models(self, *, kind: str | None = None) -> Iterator[Model]:
        return self._rows(Model, "models", {"kind": kind})

    def read_model(self, model_id: int) -> Model:
        return read(Model, self._get(f"models/{model_id}"))

    def register_model(self, name: str, location: str, **about: Any) -> Model:
        """`about`: kind, is_elsewhere, licence, notes."""
        return read(Model, self._post("models", {"name": name, "location": location} | about))

    def export_model(
        self, model_id: int, path: str | PathLike[str], *, weights: str = "merged"
    ) -> int:
        """Streams its archive, a .tar, to `path`. Returns the number of bytes. `weights`: merged,
        or only the LoRA adapter.
        """
        with self._http.stream(
            "GET", f"models/{model_id}/archive", params={"weights": weights}
        ) as response:
            if not response.is_success:
                response.read()
                answer_of(response)
            with open(path, "wb") as file:
                for block in response.iter_bytes():
                    file.write(block)
                return file.tell()

    def change_model(self, model_id: int, **wanted: str) -> Model:
        """`wanted`: stage, licence, notes, card. Omitted fields keep their value."""
        return read(Model, self._post(f"models/{model_id}/change", dict(wanted)))

    def read_model_card(self, model_id: int) -> Card:
        return read(Card, self._get(f"models/{model_id}/card"))

    def read_model_scorecard(self, model_id: int, *, baseline: int | None = None) -> Scorecard:
        """`baseline`: the model to compare with; its parent unless given."""
        query = {"baseline": baseline} if baseline is not None else {}
        return read(Scorecard, self._get(f"models/{model_id}/scorecard", query))

    def publish_model(
        self, model_id: int, repository: str, *, is_private: bool = True
    ) -> Publication:
        """Starts publishing it to `repository` (owner/name); read_publication shows progress."""
        body = {"repository": repository, "is_private": is_private}
        return read(Publication, self._post(f"models/{model_id}/publications", body))

    def list_model_publications(self, model_id: int) -> Iterator[Publication]:
        return self._rows(Publication, f"models/{model_id}/publications", {})

    def read_publication(self, publication_id: int) -> Publication:
        return read(Publication, self._get(f"publications/{publication_id}"))

    def pin_model(self, model_id: int) -> Model:
        """Always keep its weights."""
        return read(Model, self._post(f"models/{model_id}/pin"))

    def unpin_model(self, model_id: int) -> Model:
        return read(Model, self._post(f"models/{model_id}/unpin"))

    # --- webhooks ---------------------------------------------------------------------------------

    def list_webhooks(self) -> Iterator[Webhook]:
        return self._rows(Webhook, "webhooks", {})

    def read_webhook(self, webhook_id: int) -> Webhook:
        return read(Webhook, self._get(f"webhooks/{webhook_id}"))

    def rotate_webhook_secret(self, webhook_id: int) -> WebhookSecret:
        """Messages are also signed with the old secret for three days. If the response is lost, end
        the old secret and rotate again.
        """
        return read(WebhookSecret, self._post(f"webhooks/{webhook_id}/rotate"))

    def end_webhook_secret(self, webhook_id: int) -> Webhook:
        """Stops signing with the previous secret."""
        return read(Webhook, self._post(f"webhooks/{webhook_id}/end-secret"))

    def _point_pages(self, run_id: int, attempt: int, since: int) -> Iterator[Json]:
        has_more = True
        while has_more:
            page = self._get(f"runs/{run_id}/points", {"attempt": attempt, "since": since})
            yield page
            attempt, since, has_more = page["next_attempt"], page["next_since"], page["has_more"]
