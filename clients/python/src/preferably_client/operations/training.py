"""Snapshots, suites and runs."""

from collections.abc import Generator, Mapping
from typing import Any

from preferably_client.core import (
    Call,
    Json,
    Listing,
    Request,
    Steps,
    Wait,
    body_of,
    get,
    pages,
    post,
)
from preferably_client.operation import listing, operation
from preferably_client.rows.reading import read
from preferably_client.rows.training import (
    Estimate,
    Log,
    LogLine,
    Point,
    Run,
    Sample,
    Snapshot,
    Suite,
)


class SnapshotOperations:
    @listing
    def list_snapshots(self, *, kind: str | None = None) -> Listing[Snapshot]:
        return pages(Snapshot, "snapshots", kind=kind)

    @operation
    def read_snapshot(self, snapshot_id: int) -> Call[Snapshot]:
        return get(Snapshot, f"snapshots/{snapshot_id}")

    @operation
    def cut_snapshot(self, /, kind: str, name: str, **filters: Any) -> Call[Snapshot]:
        """`filters`: campaigns, includes_imports, includes_extra, best_of, categories, licences,
        splits, limit.
        """
        return post(Snapshot, "snapshots", {"kind": kind, "name": name, "filters": filters})


class SuiteOperations:
    @listing
    def list_suites(self, *, shown: str | None = None) -> Listing[Suite]:
        """`shown`: an area, or “retired”."""
        return pages(Suite, "suites", shown=shown)

    @operation
    def read_suite(self, suite_id: int) -> Call[Suite]:
        return get(Suite, f"suites/{suite_id}")

    @operation
    def upload_suite(self, /, items: str, *, suite: str | None = None, **more: Any) -> Call[Suite]:
        """`items` and `suite`: the texts of items.jsonl and suite.yaml. `more`: shape, licence,
        version, name, slug, area, scorer, source, task.
        """
        return post(Suite, "suites", body_of({"items": items, **more}, {"suite": suite}))

    @operation
    def retire_suite(self, suite_id: int) -> Call[Suite]:
        return post(Suite, f"suites/{suite_id}/retire")

    @operation
    def bring_back_suite(self, suite_id: int) -> Call[Suite]:
        return post(Suite, f"suites/{suite_id}/bring-back")


class RunOperations:
    @listing
    def list_runs(
        self, *, kind: str | None = None, state: str | None = None, words: str | None = None
    ) -> Listing[Run]:
        """`state`: a state or an outcome."""
        return pages(Run, "runs", kind=kind, state=state, words=words)

    @operation
    def read_run(self, run_id: int) -> Call[Run]:
        return get(Run, f"runs/{run_id}")

    @operation
    def queue_run(
        self, /,
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
    ) -> Call[Run]:
        """Only a node with `n_gpus` of `memory_gb` each takes it. `more`: n_processes, n_machines,
        strategy, offloads, priority, tags, remarks, is_dry, other_model, reference_model,
        ptx_snapshot; for a benchmark, `suites` (ids or slugs) in place of the snapshot.
        """
        body = {"kind": kind, "name": name, "base_model": base_model, "config": dict(config or {})}
        optional = {
            "snapshot": snapshot,
            "reward_model": reward_model,
            "watchdog_model": watchdog_model,
            "preset": preset,
        }
        size = {"n_gpus": n_gpus, "memory_gb": memory_gb}
        return post(Run, "runs", body_of(body | size | more, optional))

    @operation
    def estimate_run(self, /, kind: str, *, base_model: int, **more: Any) -> Call[Estimate]:
        """Estimates a run without queuing it. `more`: the arguments of queue_run, such as its
        snapshot.
        """
        return post(Estimate, "runs/estimate", {"kind": kind, "base_model": base_model} | more)

    @operation
    def extend_run(self, run_id: int, amount: int, *, name: str = "") -> Call[Run]:
        """Queues a run that continues from the final state up to `amount` epochs, steps or episodes
        in total.
        """
        return post(Run, f"runs/{run_id}/extend", {"amount": amount, "name": name})

    @operation
    def move_run(self, run_id: int, places: int) -> Call[Run]:
        """Moves a queued run by `places`. Negative is towards the front."""
        return post(Run, f"runs/{run_id}/move", {"places": places})

    @operation
    def set_run_priority(self, run_id: int, priority: int) -> Call[Run]:
        """The highest priority runs first."""
        return post(Run, f"runs/{run_id}/priority", {"priority": priority})

    @operation
    def pin_run(self, run_id: int) -> Call[Run]:
        """Always keep its checkpoints."""
        return post(Run, f"runs/{run_id}/pin")

    @operation
    def unpin_run(self, run_id: int) -> Call[Run]:
        return post(Run, f"runs/{run_id}/unpin")

    @operation
    def give_up_run(self, run_id: int) -> Call[Run]:
        """Deletes the checkpoints of a failed, lost or stopped run for good."""
        return post(Run, f"runs/{run_id}/give-up")

    @operation
    def stop_run(self, run_id: int) -> Call[Run]:
        return post(Run, f"runs/{run_id}/stop")

    @operation
    def kill_run(self, run_id: int) -> Call[Run]:
        """Stops it at once and discards what it did since its last checkpoint."""
        return post(Run, f"runs/{run_id}/kill")

    @operation
    def retry_run(self, run_id: int) -> Call[Run]:
        """Continues a failed, lost or stopped run from its last checkpoint, in the same run."""
        return post(Run, f"runs/{run_id}/retry")

    @listing
    def read_run_points(self, run_id: int, *, attempt: int = 0, since: int = -1) -> Listing[Point]:
        """Points after step `since` of `attempt`, up to the newest."""

        def steps() -> Steps[Point]:
            yield from _points(run_id, {"attempt": attempt, "since": since})

        return Listing(Point, steps, unit="steps")

    @listing
    def follow_run(self, run_id: int, *, every_s: float = 2.0) -> Listing[Point]:
        """Yields every point until the run has ended. A resumed run repeats some steps."""

        def steps() -> Steps[Point]:
            at, state = yield from _points(run_id, {"attempt": 0, "since": -1})
            while state != "finished":
                yield Wait(every_s)
                at, state = yield from _points(run_id, at)

        return Listing(Point, steps, unit="steps")

    @listing
    def list_run_samples(self, run_id: int) -> Listing[Sample]:
        """Responses sampled during training, newest first."""
        return pages(Sample, f"runs/{run_id}/samples")

    @operation
    def read_run_log(self, run_id: int, *, attempt: int | None = None, since: int = 0) -> Call[Log]:
        """The last lines of its log, or those of them after line `since` of `attempt`."""
        return get(Log, f"runs/{run_id}/log", attempt=attempt, since=since)

    @listing
    def follow_run_log(self, run_id: int, *, every_s: float = 2.0) -> Listing[LogLine]:
        """Yields every line until the run has ended."""

        def steps() -> Steps[LogLine]:
            at: Json = {"since": 0}
            while True:
                raw = yield Request("GET", f"runs/{run_id}/log", query=at)
                log = read(Log, raw)
                yield log.results
                if log.state == "finished":
                    return
                at = {"attempt": log.next_attempt, "since": log.next_since}
                yield Wait(every_s)

        return Listing(LogLine, steps, unit="lines")


def _points(
    run_id: int, at: Json
) -> Generator[Request | Wait | list[Point], Any, tuple[Json, str]]:
    """All pages from `at`. Returns where the next starts, and the run's state."""
    has_more = True
    while has_more:
        page = yield Request("GET", f"runs/{run_id}/points", query=at)
        yield [read(Point, row) for row in page["results"]]
        at = {"attempt": page["next_attempt"], "since": page["next_since"]}
        has_more = page["has_more"]
    return at, page["state"]
