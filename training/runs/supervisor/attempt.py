"""One attempt at a run while it goes on: its heart, and its patience with a database and a store
that are away.
"""

import errno
import logging
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from training.models import Run, Seat
from training.processes import background
from training.processes.launch import Launch
from training.runs import services as runs_services
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.multi_node import services as multi_node_services
from training.runs.supervisor import progress_lines
from training.storage import push_artifacts, store

logger = logging.getLogger(__name__)
T = TypeVar("T")

# How long a run outlives its database. Afterwards it is saved and given up; the reaper finds it.
DATABASE_PATIENCE_S = 600
# How long a finished model waits for the store to take it, and a new attempt for what it begins
# with.
STORE_PATIENCE_S = 600
LONGEST_PAUSE_S = 15


class Superseded(Exception):
    """Another attempt has the run, or it has ended: this one must leave everything alone."""


class UnableToStart(Exception):
    """The run cannot begin here; the text is for the person who queued it."""


class CalledOff(Exception):
    """A person stopped the run while its machines gathered."""


class Left(Exception):
    """This node cannot go on with the run now, through no fault of the run: it goes back to the
    queue. The text says why.
    """


@dataclass
class Attempt:
    """What one attempt knows while it goes on."""

    run: Run
    folder: Path
    is_leaving: Callable[[], bool]
    seat: Seat | None = None
    """on a machine that has joined: it tells nothing of the run, the first one does"""
    reader: progress_lines.Reader = field(init=False)
    shipper: push_artifacts.Shipper = field(init=False)
    has_left: bool = False
    leaver: str = ""
    """the node of another of the run's machines that wants to go"""
    is_stop_requested: bool = False
    is_stalled: bool = False
    beat_at: float = 0.0
    read_at: float = 0.0
    moved_at: float = field(default_factory=time.monotonic)
    size: int = -1
    database_lost_at: float | None = None
    oom_kills: int = 0

    def __post_init__(self) -> None:
        self.reader = progress_lines.Reader(self.folder)
        self.shipper = push_artifacts.Shipper(self.folder, self.run.pk, self.run.attempt)

    def beat(self) -> None:
        """Says that it lives, and learns whether somebody has stopped the run. Raises
        Superseded.
        """
        if self.seat is not None:
            if not multi_node_services.beat_seat(seat=self.seat, now=timezone.now()):
                raise Superseded
            return
        answer = runs_services.beat(
            run_id=self.run.pk, attempt=self.run.attempt, now=timezone.now()
        )
        if not answer.is_ours:
            raise Superseded
        self.is_stop_requested = answer.is_stop_requested
        if Launch.from_json(self.run.launch).n_machines > 1:
            self.leaver = multi_node_selectors.leaving_node(run=self.run)

    def left(self) -> Left:
        node = self.leaver or (self.run.node if self.is_leaving() else "")
        return Left(_("%(node)s shut down cleanly.") % {"node": node} if node else "")

    def tried(self, call: Callable[[], None]) -> None:
        """The child goes on while the database is away; what could not be written is written when
        it is back.
        """
        try:
            call()
        except (OperationalError, InterfaceError) as problem:
            logger.warning("Run %s: the database is away (%s).", self.run.pk, problem)
            connection.close()
            self.database_lost_at = self.database_lost_at or time.monotonic()
        else:
            self.database_lost_at = None

    def is_out_of_patience(self) -> bool:
        """Whether the database has been away for too long to go on."""
        lost_at = self.database_lost_at
        return lost_at is not None and time.monotonic() - lost_at > DATABASE_PATIENCE_S

    def transferred(self, call: Callable[[], T]) -> T:
        """Calls until the store answers, for minutes; then lets its error out. The heart beats
        meanwhile. Raises Superseded.
        """
        deadline = time.monotonic() + STORE_PATIENCE_S
        pause_s = 1.0
        while True:
            try:
                return self.beating(call)
            except store.StoreAway as problem:
                if time.monotonic() > deadline or self.is_leaving():
                    raise
                logger.warning(
                    "Run %s: the artifact store is away (%s); trying again in %s s.",
                    self.run.pk,
                    problem,
                    pause_s,
                )
                self.beating(lambda pause_s=pause_s: time.sleep(pause_s))  # type: ignore[misc]
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def beating(self, call: Callable[[], T]) -> T:
        """Lets a thread do what may take long, and beats for the run until it is done. Raises what
        it raises, and Superseded.

        The thread touches no table: a superseded attempt leaves it behind, and it ends with the
        process.
        """
        done = background.start(call, name="transfer")
        while True:
            with suppress(FutureTimeout):
                return done.result(timeout=settings.RUN_HEARTBEAT_S)
            if done.done():
                return done.result()
            self.tried(self.beat)

    def fetched(self, fetch: Callable[[], T]) -> T:
        """Through outages of the store. Raises UnableToStart."""
        try:
            return self.transferred(fetch)
        except store.StoreAway as problem:
            raise UnableToStart(store_sentence(problem)) from problem
        except store.Damaged as problem:
            raise UnableToStart(
                _(
                    "The artifact store returned a changed copy of %(file)s. Restore the original,"
                    " then retry."
                )
                % {"file": problem}
            ) from problem


def patiently(call: Callable[[], T]) -> T:
    """Calls until the database answers, for minutes; then lets its error out."""
    deadline = time.monotonic() + DATABASE_PATIENCE_S
    pause_s = 0.5
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            logger.warning("The database is away; trying again in %s s.", pause_s)
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


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


def store_sentence(problem: store.StoreAway) -> str:
    sentence = _(
        "The artifact store is not responding (%(problem)s). Retry when it is back: the run resumes"
        " from its last checkpoint."
    )
    return sentence % {"problem": problem}
