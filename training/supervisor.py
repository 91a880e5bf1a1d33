"""One attempt at a run: starts the child process, follows it, beats for it, stops it, and collects what it leaves.

Everything a person later reads about the run is written from here; torch never enters this process.
"""

import errno
import logging
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.intake import NewResponse
from training import (
    artifacts,
    child,
    environment,
    freezing,
    launching,
    progress_lines,
    run_dir,
    selectors,
    services,
    shipping,
    store,
    verdicts,
)
from training.launching import Launch, Meeting
from training.models import Run, Seat
from training.services import Ending
from training.verdicts import LastWords, Next

logger = logging.getLogger(__name__)
T = TypeVar("T")

TICK_S = 0.2
PROGRESS_EVERY_S = 1.0
# How long a run outlives its database. Afterwards it is saved and given up; the reaper finds it.
DATABASE_PATIENCE_S = 600
# How long a finished model waits for the store to take it, and a new attempt for what it begins with.
STORE_PATIENCE_S = 600
LONGEST_PAUSE_S = 15
N_RESPONSES_AT_ONCE = 500


class Superseded(Exception):
    """Another attempt has the run, or it has ended: this one must leave everything alone."""


class UnableToStart(Exception):
    """The run cannot begin here; the text is for the person who queued it."""


def supervise(*, run_id: int, node: str, is_leaving: Callable[[], bool] = lambda: False) -> None:
    """Claims the run if it waits and sees this attempt to its end. Returns at once when there is nothing to claim."""
    run = _patiently(lambda: services.claim_run(run_id=run_id, node=node, now=timezone.now()))
    if run is None:
        logger.info("Run %s is not waiting.", run_id)
        return
    logger.info("Run %s, attempt %s, begins on %s.", run.pk, run.attempt, node)
    attempt = _Attempt(run=run, folder=Path(settings.RUNS_DIR) / str(run.pk), is_leaving=is_leaving)
    try:
        _conclude(attempt, _go(attempt))
    except UnableToStart as problem:
        _finish(attempt, Ending(outcome=Run.Outcome.FAILED, error=str(problem)))
    except CalledOff:
        _finish(attempt, Ending(outcome=Run.Outcome.STOPPED))
    except Left:
        _patiently(lambda: services.return_to_queue(run_id=run.pk, attempt=run.attempt, now=timezone.now()))
    except Superseded:
        logger.warning("Run %s, attempt %s, is over: another has taken its place.", run.pk, run.attempt)


class CalledOff(Exception):
    """A person stopped the run while its machines gathered."""


class Left(Exception):
    """This node cannot go on with the run now, through no fault of the run: it goes back to the queue."""


def assist(*, seat: Seat, is_leaving: Callable[[], bool] = lambda: False) -> None:
    """Sees to one machine's part in a run that another node has claimed: prepares, begins with all the others, ends with them."""
    run = _patiently(lambda: services.run_to_carry_out(run_id=seat.run_id))
    logger.info("Run %s, attempt %s: %s joins as machine %s.", run.pk, run.attempt, seat.node, seat.rank)
    folder = Path(settings.RUNS_DIR) / f"{run.pk}-{seat.rank}"
    attempt = _Attempt(run=run, folder=folder, is_leaving=is_leaving, seat=seat)
    try:
        ending, error = _help(attempt)
    except UnableToStart as problem:
        ending, error = Seat.Ending.FAILED, str(problem)
    except (Left, Superseded):
        ending, error = Seat.Ending.GONE, ""
    _patiently(lambda: services.leave_seat(seat=seat, ending=ending, error=error))
    run_dir.remove(folder)


def has_room() -> bool:
    """Whether this node's disk can take a run at all. One that is full would take run after run and fail each."""
    folder = Path(settings.RUNS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free > run_dir.SPARE_BYTES


@dataclass
class _Attempt:
    """What one attempt knows while it goes on."""

    run: Run
    folder: Path
    is_leaving: Callable[[], bool]
    seat: Seat | None = None
    """on a machine that has joined: it tells nothing of the run, the first one does"""
    reader: progress_lines.Reader = field(init=False)
    shipper: shipping.Shipper = field(init=False)
    has_left: bool = False
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
        self.shipper = shipping.Shipper(self.folder, self.run.pk, self.run.attempt)


def _go(attempt: _Attempt) -> LastWords:
    """Prepares the folder, runs the child to its end, and says how it ended."""
    try:
        child.end_previous(attempt.folder)
        run_dir.write_job(attempt.folder, _job(attempt))
        run_dir.withdraw_stop(attempt.folder)
        _take_over_checkpoint(attempt)
        _take_over_folds(attempt)
        _take_over_state(attempt)
        process = _start_child(attempt, _gathered(attempt))
    except run_dir.StaleAttempt as problem:
        raise Superseded from problem
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            # A full node takes no run before there is room again, so this one is not taken in circles.
            logger.warning("Run %s goes back to the queue: the disk is full.", attempt.run.pk)
            raise Left from problem
        raise UnableToStart(_os_sentence(problem)) from problem
    try:
        code = _follow(attempt, process)
    finally:
        child.end_group(process.pid)
    _patiently(lambda: _record(attempt))
    if Launch.from_json(attempt.run.launch).is_parallel:
        code = launching.exit_code(code, progress_lines.log_tail(attempt.folder).rpartition(verdicts.ATTEMPT_BEGINS)[2])
    lost = _lost_machine(attempt) if code > 0 and run_dir.read_result(attempt.folder) is None else None
    return LastWords(
        exit_code=code,
        lost_machine=lost.node if lost else "",
        lost_machine_says=lost.error if lost else "",
        result=run_dir.read_result(attempt.folder),
        log=progress_lines.log_tail(attempt.folder),
        is_out_of_memory=code == -signal.SIGKILL and child.n_oom_kills() > attempt.oom_kills,
        is_stalled=attempt.is_stalled,
    )


# --- before ------------------------------------------------------------------------------------------------------


def _job(attempt: _Attempt) -> run_dir.Job:
    """What the child is to do, everything it needs fetched to this node. Raises UnableToStart."""
    run = attempt.run
    if run.snapshot.n_rows == 0:
        raise UnableToStart(_("The snapshot “%(name)s” is empty. Cut another one.") % {"name": run.snapshot})
    snapshot = _fetched(attempt, lambda: artifacts.fetch_snapshot(run.snapshot.folder))
    if not snapshot.is_dir():
        raise UnableToStart(_("The folder of the snapshot “%(name)s” is missing on this node.") % {"name": run.snapshot})
    if not freezing.is_intact(snapshot, run.snapshot.fingerprint):
        raise UnableToStart(
            _("The files of the snapshot “%(name)s” are not those that were cut. Cut another one.") % {"name": run.snapshot}
        )
    reward_model, watchdog_model = run.reward_model, run.watchdog_model
    endpoint = services.endpoint_of(model=run.base_model)
    return run_dir.Job(
        kind=run.kind,
        run_id=run.pk,
        attempt=run.attempt,
        config=run.config,
        model=run.base_model.location if endpoint else _fetched_model(attempt, run.base_model.location),
        endpoint=(endpoint.url, endpoint.served_name, endpoint.key_variable) if endpoint else None,
        reward_model=_fetched_model(attempt, reward_model.location) if reward_model else None,
        watchdog_model=_fetched_model(attempt, watchdog_model.location) if watchdog_model else None,
        other_model=_fetched_model(attempt, run.other_model.location) if run.other_model else None,
        is_dry=run.is_dry,
        snapshot=str(snapshot),
        heartbeat_s=settings.RUN_HEARTBEAT_S,
        threads=max(1, child.n_threads() // Launch.from_json(run.launch).n_processes),
    )


def _fetched(attempt: _Attempt, fetch: Callable[[], T]) -> T:
    """Through outages of the store. Raises UnableToStart."""
    try:
        return _transferred(attempt, fetch)
    except store.StoreAway as problem:
        raise UnableToStart(_store_sentence(problem)) from problem
    except store.Damaged as problem:
        raise UnableToStart(
            _("The artifact store gives back %(file)s otherwise than it was put there. Put it back, then retry.")
            % {"file": problem}
        ) from problem


def _take_over_checkpoint(attempt: _Attempt) -> None:
    """Brings the run's newest checkpoint here when another node got further than what lies on this one."""
    if attempt.run.attempt == 1 or not artifacts.is_shared():
        return
    stored = _fetched(attempt, lambda: artifacts.newest_checkpoint(run_id=attempt.run.pk))
    own = run_dir.newest_checkpoint(attempt.folder)
    if stored is None:
        return
    attempt.shipper.knows(stored.step)
    if own is None or run_dir.checkpoint_step(own) < stored.step:
        with suppress(store.Missing):  # freed between two looks: begin with what is here
            _fetched(attempt, lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
            logger.info("Run %s goes on from step %s, fetched from the store.", attempt.run.pk, stored.step)


def _take_over_folds(attempt: _Attempt) -> None:
    """Brings here what a cross-validation has measured on another node."""
    if attempt.run.attempt == 1 or not artifacts.is_shared():
        return
    with suppress(store.Missing):  # freed between two looks
        n = _fetched(attempt, lambda: artifacts.fetch_folds(run_id=attempt.run.pk, folder=attempt.folder))
        attempt.shipper.knows_folds(n)


def _take_over_state(attempt: _Attempt) -> None:
    """An extension begins with the last state of the run that it extends. Raises UnableToStart."""
    run = attempt.run
    if run.made_as != Run.MadeAs.EXTENSION or run_dir.newest_checkpoint(attempt.folder) is not None:
        return
    own = run_dir.newest_checkpoint(Path(settings.RUNS_DIR) / str(run.made_from_id))
    stored = (
        _fetched(attempt, lambda: artifacts.newest_checkpoint(run_id=run.made_from_id or 0)) if artifacts.is_shared() else None
    )
    if own is not None:
        aside = attempt.folder / run_dir.CHECKPOINTS / f"{run_dir.TEMPORARY}{own.name}"
        shutil.copytree(own, aside)
        aside.rename(aside.with_name(own.name))
    elif stored is not None:
        _fetched(attempt, lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
    else:
        raise UnableToStart(_("The state of the run “%(run)s” is gone. Start another like it.") % {"run": run.made_from})


def _fetched_model(attempt: _Attempt, location: str) -> str:
    try:
        return _fetched(attempt, lambda: artifacts.fetch_model(location))
    except artifacts.ModelMissing as problem:
        raise UnableToStart(
            _("The model folder %(folder)s is missing on this node. Put it back or register where it is now, then retry.")
            % {"folder": location}
        ) from problem


def _start_child(attempt: _Attempt, meeting: Meeting | None) -> "subprocess.Popen[bytes]":
    """Raises UnableToStart."""
    attempt.oom_kills = child.n_oom_kills()
    run, launch = attempt.run, Launch.from_json(attempt.run.launch)
    title, more = _title(run), _key_for(run)
    try:
        return child.start(attempt.folder, launch, n_gpus=run.n_gpus, title=title, more=more, meeting=meeting)
    except launching.UnableToLaunch as problem:
        raise UnableToStart(
            _("The node's command for training is “%(command)s”. Several processes need one such as python -m training.trainer.")
            % {"command": problem}
        ) from problem


def _title(run: Run) -> str:
    return f"{verdicts.ATTEMPT_BEGINS}{run.attempt} on {run.node}"


def _key_for(run: Run) -> dict[str, str]:
    """The key of the endpoint that this run asks, under its own name; no other key goes along."""
    endpoint = services.endpoint_of(model=run.base_model)
    key = environment.key_of(endpoint.key_variable) if endpoint else ""
    return {endpoint.key_variable: key} if endpoint and key else {}


# --- several machines --------------------------------------------------------------------------------------------


def _gathered(attempt: _Attempt) -> Meeting | None:
    """Where the machines of the run meet, all being ready; None for a run on one. Raises Left when they do not come in time."""
    if Launch.from_json(attempt.run.launch).n_machines == 1:
        return None
    _fetched(attempt, attempt.shipper.finish)  # the others begin with the checkpoint that this one has
    port = child.free_port()
    _patiently(lambda: services.be_ready(run=attempt.run, rank=0, address=settings.NODE_ADDRESS, port=port))
    return _met(attempt, time.monotonic() + settings.RUN_GATHER_S)


def _met(attempt: _Attempt, deadline: float) -> Meeting:
    """Waits until every machine is ready. Raises Left, CalledOff, UnableToStart and Superseded."""
    while (found := _patiently(lambda: selectors.meeting(run=attempt.run))) is None:
        if attempt.is_stop_requested:
            raise CalledOff
        lost = None if attempt.seat else _patiently(lambda: selectors.loss(run=attempt.run, now=timezone.now()))
        if lost and lost.error:
            raise UnableToStart(f"{lost.node}: {lost.error}")
        if lost or attempt.is_leaving() or time.monotonic() > deadline:
            raise Left
        _tried(attempt, lambda: _beat(attempt))
        time.sleep(1)
    return found


def _help(attempt: _Attempt) -> tuple[Seat.Ending, str]:
    """How the processes on this machine have ended, and a sentence when something is wrong here. Raises what _go raises."""
    assert attempt.seat is not None
    seat = attempt.seat
    try:
        run_dir.remove(attempt.folder)
        run_dir.write_job(attempt.folder, _job(attempt))
        stored = _fetched(attempt, lambda: artifacts.newest_checkpoint(run_id=attempt.run.pk))
        if stored is not None:
            _fetched(attempt, lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
        _patiently(lambda: services.be_ready(run=attempt.run, rank=seat.rank, address=settings.NODE_ADDRESS))
        meeting = replace(_met(attempt, time.monotonic() + settings.RUN_GATHER_S), rank=seat.rank)
        process = _start_child(attempt, meeting)
    except OSError as problem:
        raise UnableToStart(_os_sentence(problem)) from problem
    try:
        while process.poll() is None:
            if attempt.is_leaving():
                raise Left
            _tried(attempt, lambda: _beat(attempt))
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=settings.RUN_HEARTBEAT_S)
    finally:
        child.end_group(process.pid)
    result = run_dir.read_result(attempt.folder)
    if process.returncode == 0:
        return Seat.Ending.DONE, ""
    return (Seat.Ending.FAILED, result.error or "") if result else (Seat.Ending.GONE, "")


def _lost_machine(attempt: _Attempt) -> selectors.Loss | None:
    """The machine whose end made the others end: it may have gone without a word, and is known by its silence."""
    if Launch.from_json(attempt.run.launch).n_machines == 1:
        return None
    deadline = time.monotonic() + 2 * selectors.silence().total_seconds()
    while time.monotonic() < deadline:
        lost = _patiently(lambda: selectors.loss(run=attempt.run, now=timezone.now()))
        if lost is not None:
            return lost
        _tried(attempt, lambda: _beat(attempt))
        time.sleep(1)
    return None


# --- during ------------------------------------------------------------------------------------------------------


def _follow(attempt: _Attempt, process: "subprocess.Popen[bytes]") -> int:
    """Until the child has ended: its exit code."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=TICK_S)
        now = time.monotonic()
        if now - attempt.beat_at >= settings.RUN_HEARTBEAT_S:
            attempt.beat_at = now
            _tried(attempt, lambda: _beat(attempt))
        if now - attempt.read_at >= PROGRESS_EVERY_S:
            attempt.read_at = now
            _tried(attempt, lambda: _record(attempt))
        attempt.shipper.look()
        if attempt.is_leaving() or _is_out_of_patience(attempt):
            attempt.has_left = True
        if attempt.has_left or attempt.is_stop_requested:
            run_dir.request_stop(attempt.folder)
        if _stands_still(attempt, now):
            attempt.is_stalled = True
            child.end_group(process.pid)


def _beat(attempt: _Attempt) -> None:
    if attempt.seat is not None:
        if not services.beat_seat(seat=attempt.seat, now=timezone.now()):
            raise Superseded
        return
    answer = services.beat(run_id=attempt.run.pk, attempt=attempt.run.attempt, now=timezone.now())
    if not answer.is_ours:
        raise Superseded
    attempt.is_stop_requested = answer.is_stop_requested


def _record(attempt: _Attempt) -> None:
    news = attempt.reader.read()
    if not news.is_news:
        return
    accepted = services.record_progress(
        run_id=attempt.run.pk,
        attempt=attempt.run.attempt,
        points=news.points,
        samples=news.samples,
        notes=news.notes,
        log_tail=news.log_tail,
        now=timezone.now(),
    )
    if not accepted:
        raise Superseded
    attempt.reader.keep(news)


def _stands_still(attempt: _Attempt, now: float) -> bool:
    size = sum(path.stat().st_size for name in (run_dir.PROGRESS, run_dir.LOG) if (path := attempt.folder / name).exists())
    if size != attempt.size:
        attempt.size, attempt.moved_at = size, now
    return now - attempt.moved_at > settings.RUN_STALL_AFTER_S


def _tried(attempt: _Attempt, call: Callable[[], None]) -> None:
    """The child goes on while the database is away; what could not be written is written when it is back."""
    try:
        call()
    except (OperationalError, InterfaceError) as problem:
        logger.warning("Run %s: the database is away (%s).", attempt.run.pk, problem)
        connection.close()
        attempt.database_lost_at = attempt.database_lost_at or time.monotonic()
    else:
        attempt.database_lost_at = None


def _is_out_of_patience(attempt: _Attempt) -> bool:
    lost_at = attempt.database_lost_at
    return lost_at is not None and time.monotonic() - lost_at > DATABASE_PATIENCE_S


def _patiently(call: Callable[[], T]) -> T:
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


def _transferred(attempt: _Attempt, call: Callable[[], T]) -> T:
    """Calls until the store answers, for minutes; then lets its error out. The run's heart beats meanwhile. Raises Superseded."""
    deadline = time.monotonic() + STORE_PATIENCE_S
    pause_s = 1.0
    while True:
        try:
            return _beating(attempt, call)
        except store.StoreAway as problem:
            if time.monotonic() > deadline or attempt.is_leaving():
                raise
            logger.warning("Run %s: the artifact store is away (%s); trying again in %s s.", attempt.run.pk, problem, pause_s)
            _beating(attempt, lambda pause_s=pause_s: time.sleep(pause_s))  # type: ignore[misc]
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _beating(attempt: _Attempt, call: Callable[[], T]) -> T:
    """Lets a thread do what may take long, and beats for the run until it is done. Raises what it raises, and Superseded.

    The thread touches no table: a superseded attempt leaves it behind, and it ends with the process.
    """
    done: Future[T] = Future()
    threading.Thread(target=_settle, args=[done, call], name="transfer", daemon=True).start()
    while True:
        with suppress(FutureTimeout):
            return done.result(timeout=settings.RUN_HEARTBEAT_S)
        if done.done():
            return done.result()
        _tried(attempt, lambda: _beat(attempt))


def _settle(done: "Future[T]", call: Callable[[], T]) -> None:
    try:
        done.set_result(call())
    except Exception as problem:  # noqa: BLE001  # raised again where the result is waited for
        done.set_exception(problem)


# --- after -------------------------------------------------------------------------------------------------------


def _conclude(attempt: _Attempt, words: LastWords) -> None:
    """Turns the last words into the run's next state. Raises Superseded."""
    _patiently(lambda: _beat(attempt))
    verdict = verdicts.judge(words)
    run = attempt.run
    is_cut_short = verdict.next == Next.STOPPED and not verdict.sentence and not attempt.is_stop_requested
    if is_cut_short and attempt.has_left:
        _send_last_checkpoint(attempt)
        raise Left
    if verdict.next == Next.AGAIN:
        _send_last_checkpoint(attempt)
        _patiently(
            lambda: services.give_up_attempt(run_id=run.pk, attempt=run.attempt, reason=verdict.sentence, now=timezone.now())
        )
        return
    try:
        ending = _ending(attempt, words, verdict)
    except OSError as problem:
        ending = Ending(outcome=Run.Outcome.FAILED, error=_os_sentence(problem))
    except store.StoreAway as problem:
        if attempt.is_leaving():
            raise Left from problem
        ending = Ending(outcome=Run.Outcome.FAILED, error=_store_sentence(problem))
    _finish(attempt, ending)


def _send_last_checkpoint(attempt: _Attempt) -> None:
    """Another node may be the next to take the run. A store that is away does not hold it up."""
    try:
        _beating(attempt, attempt.shipper.finish)
    except store.StoreAway as problem:
        logger.warning("Run %s: its last checkpoint stays on this node: %s", attempt.run.pk, problem)


def _ending(attempt: _Attempt, words: LastWords, verdict: verdicts.Verdict) -> Ending:
    """What the run leaves: its responses are handed on and its model is kept before the run counts as finished."""
    result = words.result or run_dir.Result(outcome=verdict.next)
    location = None
    if verdict.next != Next.FAILED and not attempt.run.is_dry:
        if result.responses:
            _hand_on_responses(attempt, attempt.folder / result.responses)
        if result.model:
            folder, name = attempt.folder / result.model, f"run-{attempt.run.pk}-{attempt.run.attempt}"
            location = _transferred(attempt, lambda: artifacts.keep_model(folder, name=name))
    return Ending(
        outcome=Run.Outcome(verdict.next),
        error=verdict.sentence,
        metrics=result.metrics,
        versions=result.versions,
        n_steps=result.n_steps,
        model=location,
        kept_step=_kept_step(attempt, result),
        scores=_scores(attempt.folder / result.scores) if result.scores and not attempt.run.is_dry else {},
    )


def _scores(path: Path) -> dict[int, float]:
    return {row["response"]: row["score"] for row in run_dir.read_lines(path)}


def _kept_step(attempt: _Attempt, result: run_dir.Result) -> int | None:
    """Of the state that is as far as the model that was left: a later run goes on from it. It goes to a store that is shared."""
    newest = run_dir.newest_checkpoint(attempt.folder)
    if newest is None or attempt.run.is_dry or run_dir.checkpoint_step(newest) != result.n_steps:
        return None
    _send_last_checkpoint(attempt)
    return run_dir.checkpoint_step(newest)


def _finish(attempt: _Attempt, ending: Ending) -> None:
    run = attempt.run
    kept = _patiently(lambda: services.finish_run(run_id=run.pk, attempt=run.attempt, ending=ending, now=timezone.now()))
    if kept:
        logger.info("Run %s ends: %s. %s", run.pk, ending.outcome, ending.error)
        if ending.outcome == Run.Outcome.SUCCEEDED:
            _clear(attempt, ending.kept_step)
        return
    if ending.model:
        _freed(lambda: artifacts.discard_model(str(ending.model)))
    raise Superseded


def _clear(attempt: _Attempt, kept_step: int | None) -> None:
    """What nobody goes on from any more: all but the last state, where that is kept."""
    shutil.rmtree(attempt.folder / "model", ignore_errors=True)
    for checkpoint in (attempt.folder / run_dir.CHECKPOINTS).glob("*"):
        if kept_step is None or checkpoint.name != f"step-{kept_step}":
            shutil.rmtree(checkpoint, ignore_errors=True)
    if artifacts.is_shared() and kept_step is None:
        _freed(lambda: artifacts.discard_checkpoints(run_id=attempt.run.pk))


def _freed(discard: Callable[[], None]) -> None:
    """What a store that is away cannot free now is on the page “Storage”, to be freed there."""
    try:
        discard()
    except store.StoreAway as problem:
        logger.warning("The artifact store is away (%s): something was left in it.", problem)


def _hand_on_responses(attempt: _Attempt, path: Path) -> None:
    rows = run_dir.read_lines(path)
    while chunk := list(islice(rows, N_RESPONSES_AT_ONCE)):
        _store_responses(attempt, chunk)


def _store_responses(attempt: _Attempt, rows: list[dict[str, Any]]) -> None:
    run = attempt.run
    responses = [_response(run, row) for row in rows]
    scored = [(one, row["score"]) for one, row in zip(responses, rows, strict=True) if "score" in row]
    scores = {(one.prompt_id, one.number): score for one, score in scored}
    stored = _patiently(
        lambda: services.store_responses(run_id=run.pk, attempt=run.attempt, rows=responses, scores=scores, now=timezone.now())
    )
    if stored is None:
        raise Superseded


def _response(run: Run, row: dict[str, Any]) -> NewResponse:
    return NewResponse(
        prompt_id=row["prompt_id"],
        text=progress_lines.storable(row["text"]),
        number=services.response_number(run_id=run.pk, number=row["number"]),
        sampling=row["sampling"],
        is_ended=row["is_ended"],
    )


def _os_sentence(problem: OSError) -> str:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return _("The disk of the node is full. Make room, then retry: the run goes on from its last checkpoint.")
    return _("The node could not read or write %(file)s: %(reason)s.") % {"file": problem.filename, "reason": problem.strerror}


def _store_sentence(problem: store.StoreAway) -> str:
    sentence = _(
        "The artifact store did not answer (%(problem)s). Retry when it is back: the run goes on from its last checkpoint."
    )
    return sentence % {"problem": problem}
