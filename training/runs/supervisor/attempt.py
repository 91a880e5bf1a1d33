"""One attempt at a run while it is in progress: its heartbeat, and retries while the database or
the artifact store is down.
"""

import errno
import logging
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from training.models import Run, Seat
from training.processes import background, run_dir, run_lines
from training.processes.launch import Launch
from training.runs import services as runs_services
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.multi_node import services as multi_node_services
from training.runs.supervisor import progress_lines
from training.storage import push_artifacts, store

logger = logging.getLogger(__name__)
T = TypeVar("T")

# How long a run continues without a database. Then it saves and ends, and the reaper requeues it.
DATABASE_TIMEOUT_S = 600
# How long an attempt waits for the artifact store: to upload a model, or to fetch its inputs.
STORE_TIMEOUT_S = 600
MAX_RETRY_DELAY_S = 15


class Superseded(Exception):
    """The attempt is over: another has the run, or the run has ended. Leave everything alone."""


class UnableToStart(Exception):
    """The run cannot start here; the text is for the person who queued it."""


class StoppedWhileWaiting(Exception):
    """A person stopped the run while it waited for machines."""


class Requeue(Exception):
    """This node cannot continue, through no fault of the run: it goes back to the queue. The text
    says why.
    """


@dataclass
class Attempt:
    """The state of one attempt."""

    run: Run
    folder: Path
    is_leaving: Callable[[], bool]
    seat: Seat | None = None
    """set on a machine that joined (rank > 0): only rank 0 reports on the run"""
    reader: progress_lines.ProgressReader = field(init=False)
    uploader: push_artifacts.CheckpointUploader = field(init=False)
    is_interrupted: bool = False
    leaving_node: str = ""
    """the node of another machine of this run that is shutting down"""
    is_stop_requested: bool = False
    is_stalled: bool = False
    heartbeat_at: float = 0.0
    read_at: float = 0.0
    moved_at: float = field(default_factory=time.monotonic)
    size: int = -1
    database_lost_at: float | None = None
    oom_kills: int = 0

    def __post_init__(self) -> None:
        self.reader = progress_lines.ProgressReader(self.folder)
        self.uploader = push_artifacts.CheckpointUploader(
            self.folder, self.run.pk, self.run.attempt
        )

    def send_heartbeat(self) -> None:
        """Also learns whether somebody has stopped the run. Raises Superseded when the attempt is
        over.
        """
        if self.seat is not None:
            if not multi_node_services.record_seat_heartbeat(seat=self.seat, now=timezone.now()):
                raise Superseded
            return
        answer = runs_services.record_heartbeat(
            run_id=self.run.pk, attempt=self.run.attempt, now=timezone.now()
        )
        if not answer.is_ours:
            raise Superseded
        self.is_stop_requested = answer.is_stop_requested
        if answer.kept is not None and answer.kept != run_lines.read_kept(self.folder):
            with suppress(OSError):  # a full disk: the next heartbeat writes it
                run_dir.write_json(self.folder / run_lines.KEPT, asdict(answer.kept))
        if Launch.from_json(self.run.launch).n_machines > 1:
            self.leaving_node = multi_node_selectors.leaving_node(run=self.run)

    def requeue(self) -> Requeue:
        """The exception that puts the run back in the queue, with the reason."""
        node = self.leaving_node or (self.run.node if self.is_leaving() else "")
        return Requeue(_("%(node)s shut down cleanly.") % {"node": node} if node else "")

    def try_database(self, call: Callable[[], None]) -> None:
        """Calls once and tolerates a database outage: the child continues, and the next call
        catches up.
        """
        try:
            call()
        except (OperationalError, InterfaceError) as problem:
            logger.warning("Run %s: the database is away (%s).", self.run.pk, problem)
            connection.close()
            self.database_lost_at = self.database_lost_at or time.monotonic()
        else:
            self.database_lost_at = None

    def has_lost_database(self) -> bool:
        """Whether the database has been down for too long to continue."""
        lost_at = self.database_lost_at
        return lost_at is not None and time.monotonic() - lost_at > DATABASE_TIMEOUT_S

    def retry_store(self, call: Callable[[], T]) -> T:
        """Calls until the store responds or STORE_TIMEOUT_S is over, sending heartbeats meanwhile.
        Raises StoreUnavailable and Superseded.
        """
        deadline = time.monotonic() + STORE_TIMEOUT_S
        delay_s = 1.0
        while True:
            try:
                return self.with_heartbeat(call)
            except store.StoreUnavailable as problem:
                if time.monotonic() > deadline or self.is_leaving():
                    raise
                logger.warning(
                    "Run %s: the artifact store is away (%s); trying again in %s s.",
                    self.run.pk,
                    problem,
                    delay_s,
                )
                self.with_heartbeat(lambda delay_s=delay_s: time.sleep(delay_s))  # type: ignore[misc]
                delay_s = min(delay_s * 2, MAX_RETRY_DELAY_S)

    def with_heartbeat(self, call: Callable[[], T]) -> T:
        """Runs a slow call in a thread, and sends heartbeats until it is done. Raises what the call
        raises, and Superseded.

        The call must not use the database. When the attempt is superseded the thread is abandoned,
        and ends with the process.
        """
        done = background.start(call, name="transfer")
        while True:
            with suppress(FutureTimeout):
                return done.result(timeout=settings.RUN_HEARTBEAT_S)
            if done.done():
                return done.result()
            self.try_database(self.send_heartbeat)

    def fetch(self, call: Callable[[], T]) -> T:
        """Fetches from the store, with retries. Raises UnableToStart."""
        try:
            return self.retry_store(call)
        except store.StoreUnavailable as problem:
            raise UnableToStart(store_sentence(problem)) from problem
        except store.Damaged as problem:
            raise UnableToStart(
                _(
                    "The artifact store returned a changed copy of %(file)s. Restore the original,"
                    " then retry."
                )
                % {"file": problem}
            ) from problem


def retry_database(call: Callable[[], T]) -> T:
    """Calls until the database responds or DATABASE_TIMEOUT_S is over; then raises its error."""
    deadline = time.monotonic() + DATABASE_TIMEOUT_S
    delay_s = 0.5
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            logger.warning("The database is away; trying again in %s s.", delay_s)
            time.sleep(delay_s)
            delay_s = min(delay_s * 2, MAX_RETRY_DELAY_S)


def os_sentence(problem: OSError) -> str:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return _(
            "The disk of the node is full. Free some space, then retry: the run resumes from its"
            " last checkpoint."
        )
    return _("The node could not read or write %(file)s: %(reason)s.") % {
        "file": problem.filename,
        "reason": problem.strerror,
    }


def store_sentence(problem: store.StoreUnavailable) -> str:
    sentence = _(
        "The artifact store is not responding (%(problem)s). Retry when it is back: the run resumes"
        " from its last checkpoint."
    )
    return sentence % {"problem": problem}
