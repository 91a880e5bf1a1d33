"""What takes several calls over time: a run, an import or an export, to its end."""

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, TypeVar

from preferably_client.core import Json, Listing, Request, Steps, Wait
from preferably_client.operation import listing
from preferably_client.reading import read
from preferably_client.rows import Export, HubImport, Import, Log, LogLine, Point

T = TypeVar("T")
Pages = Generator[Request | Wait | list[Point], Any, tuple[Json, str]]


class Following:
    @listing
    def read_run_points(self, run_id: int, *, attempt: int = 0, since: int = -1) -> Listing[Point]:
        """Points after step `since` of `attempt`, up to the newest."""

        def steps() -> Steps[Point]:
            yield from _points(run_id, {"attempt": attempt, "since": since})

        return Listing(Point, steps, unit="points")

    @listing
    def follow_run(self, run_id: int, *, every_s: float = 2.0) -> Listing[Point]:
        """Yields every point until the run has ended. A resumed run repeats some steps."""

        def steps() -> Steps[Point]:
            at, state = yield from _points(run_id, {"attempt": 0, "since": -1})
            while state != "finished":
                yield Wait(every_s)
                at, state = yield from _points(run_id, at)

        return Listing(Point, steps, unit="points")

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

    @listing
    def follow_import(self, import_id: int, *, every_s: float = 1.0) -> Listing[Import]:
        """Yields the import whenever it is looked at; the last one has ended."""
        return _until(Import, f"imports/{import_id}", lambda one: one.finished_at, every_s)

    @listing
    def follow_hub_import(self, hub_import_id: int, *, every_s: float = 1.0) -> Listing[HubImport]:
        """Yields the download from a hub whenever it is looked at; the last one has ended. Then
        follow its import.
        """
        path = f"hub-imports/{hub_import_id}"
        return _until(HubImport, path, lambda one: one.ended_at, every_s)

    @listing
    def follow_export(self, export_id: int, *, every_s: float = 1.0) -> Listing[Export]:
        """Yields the export whenever it is looked at; the last one has ended."""
        return _until(Export, f"exports/{export_id}", lambda one: one.ended_at, every_s)


def _until(
    row: type[T], path: str, end_of: Callable[[T], datetime | None], every_s: float
) -> Listing[T]:
    """The row, read again and again until it has an end."""

    def steps() -> Steps[T]:
        while True:
            found = read(row, (yield Request("GET", path)))
            yield [found]
            if end_of(found) is not None:
                return
            yield Wait(every_s)

    return Listing(row, steps, unit="looks")


def _points(run_id: int, at: Json) -> Pages:
    """All pages from `at`. Returns where the next starts, and the run's state."""
    has_more, state = True, ""
    while has_more:
        page = yield Request("GET", f"runs/{run_id}/points", query=at)
        yield [read(Point, row) for row in page["results"]]
        at = {"attempt": page["next_attempt"], "since": page["next_since"]}
        has_more, state = page["has_more"], page["state"]
    return at, state
