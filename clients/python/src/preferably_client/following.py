"""What takes several calls over time: a run or an import, to its end."""

from collections.abc import Generator
from typing import Any

from preferably_client.core import Json, Listing, Request, Steps, Wait
from preferably_client.operation import listing
from preferably_client.reading import read
from preferably_client.rows import Import, Log, LogLine, Point

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

        def steps() -> Steps[Import]:
            while True:
                found = read(Import, (yield Request("GET", f"imports/{import_id}")))
                yield [found]
                if found.finished_at is not None:
                    return
                yield Wait(every_s)

        return Listing(Import, steps, unit="looks")


def _points(run_id: int, at: Json) -> Pages:
    """All pages from `at`. Returns where the next starts, and the run's state."""
    has_more, state = True, ""
    while has_more:
        page = yield Request("GET", f"runs/{run_id}/points", query=at)
        yield [read(Point, row) for row in page["results"]]
        at = {"attempt": page["next_attempt"], "since": page["next_since"]}
        has_more, state = page["has_more"], page["state"]
    return at, state
