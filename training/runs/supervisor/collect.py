"""Ends an attempt: stores its answers, responses, model and final state, and then marks the run
as finished.
"""

import logging
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from django.utils import timezone

from arithmetic import plain_text
from labeling.data.intake import NewResponse
from training.benchmarks.scorecards import services as scorecards_services
from training.models import Run
from training.processes import not_numbers, run_dir, run_lines
from training.processes.run_lines import AnswerLine, ResponseLine
from training.registry import selectors as registry_selectors
from training.registry import services as registry_services
from training.runs import lost_runs
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.runs.supervisor import exit_messages
from training.runs.supervisor.attempt import (
    Attempt,
    Superseded,
    os_sentence,
    retry_database,
    store_sentence,
)
from training.runs.supervisor.exit_messages import ChildExit, NextState
from training.snapshots import response_numbers
from training.storage import artifacts, store

logger = logging.getLogger(__name__)

N_RESPONSES_AT_ONCE = 500
N_ANSWERS_AT_ONCE = 500


def conclude(attempt: Attempt, child: ChildExit) -> None:
    """Turns the child's exit into the run's next state. Raises Superseded."""
    retry_database(attempt.send_heartbeat)
    verdict = exit_messages.interpret(child)
    run = attempt.run
    _store_answers(attempt)
    is_cut_short = (
        verdict.next == NextState.STOPPED and not verdict.sentence and not attempt.is_stop_requested
    )
    if is_cut_short and attempt.is_interrupted:
        _send_last_checkpoint(attempt)
        raise attempt.requeue()
    if verdict.next == NextState.RETRY:
        _send_last_checkpoint(attempt)
        retry_database(
            lambda: lost_runs.give_up_attempt(
                run_id=run.pk, attempt=run.attempt, reason=verdict.sentence, now=timezone.now()
            )
        )
        return
    try:
        end = _attempt_result(attempt, child, verdict)
    except OSError as problem:
        end = AttemptResult(outcome=Run.Outcome.FAILED, error=os_sentence(problem))
    except store.StoreUnavailable as problem:
        if attempt.is_leaving():
            raise attempt.requeue() from problem
        end = AttemptResult(outcome=Run.Outcome.FAILED, error=store_sentence(problem))
    finish(attempt, end)


def finish(attempt: Attempt, end: AttemptResult) -> None:
    """Marks the run as finished and removes its temporary files. Raises Superseded."""
    run = attempt.run
    replaced = retry_database(lambda: registry_selectors.location_of(run=run)) if end.model else ""
    kept = retry_database(
        lambda: runs_services.finish_run(
            run_id=run.pk, attempt=run.attempt, result=end, now=timezone.now()
        )
    )
    if kept or _is_registered(end):
        logger.info("Run %s ends: %s. %s", run.pk, end.outcome, end.error)
        if replaced and replaced != end.model:
            _discard(lambda: artifacts.discard_model(replaced))
        if end.outcome == Run.Outcome.SUCCEEDED:
            _remove_leftovers(attempt, end.kept_step)
        return
    if end.model:
        _discard(lambda: artifacts.discard_model(str(end.model)))
    raise Superseded


def _is_registered(end: AttemptResult) -> bool:
    """Whether an earlier try was committed although its reply was lost: then a registered model
    owns the weights.
    """
    return end.model is not None and retry_database(
        lambda: registry_selectors.is_registered(location=str(end.model))
    )


def _send_last_checkpoint(attempt: Attempt) -> None:
    """Another node may continue the run. A store that is down does not hold up the end of this
    attempt.
    """
    try:
        attempt.with_heartbeat(attempt.uploader.finish)
    except store.StoreUnavailable as problem:
        logger.warning(
            "Run %s: its last checkpoint stays on this node: %s", attempt.run.pk, problem
        )


def _attempt_result(
    attempt: Attempt, child: ChildExit, verdict: exit_messages.Verdict
) -> AttemptResult:
    """Stores the responses and the model first, so that they exist once the run counts
    as finished.
    """
    result = child.result or run_dir.Result(outcome=verdict.next)
    if broken := not_numbers.sentence(attempt.folder, result.metrics):
        return AttemptResult(outcome=Run.Outcome.FAILED, error=broken, versions=result.versions)
    location = None
    if verdict.next != NextState.FAILED and not attempt.run.is_dry:
        if result.responses:
            _store_responses_file(attempt, attempt.folder / result.responses)
        if result.model:
            folder, name = (
                attempt.folder / result.model,
                f"run-{attempt.run.pk}-{attempt.run.attempt}",
            )
            location = attempt.retry_store(lambda: artifacts.store_model(folder, name=name))
    return AttemptResult(
        outcome=Run.Outcome(verdict.next),
        error=verdict.sentence,
        metrics=result.metrics,
        versions=result.versions,
        n_steps=result.n_steps,
        model=location,
        kept_step=_keep_last_state(attempt, result),
        has_answers=result.answers is not None and not attempt.run.is_dry,
        scores=(
            _scores(attempt.folder / result.scores)
            if result.scores and not attempt.run.is_dry
            else {}
        ),
    )


def _scores(path: Path) -> dict[int, float]:
    return {row["response"]: row["score"] for row in run_dir.read_lines(path)}


def _keep_last_state(attempt: Attempt, result: run_dir.Result) -> int | None:
    """The step of the final state, uploaded to a shared store; a later run can extend it. None if
    the last checkpoint is older than the model.
    """
    newest = run_dir.newest_checkpoint(attempt.folder)
    if newest is None or attempt.run.is_dry or run_dir.checkpoint_step(newest) != result.n_steps:
        return None
    _send_last_checkpoint(attempt)
    return run_dir.checkpoint_step(newest)


def _remove_leftovers(attempt: Attempt, kept_step: int | None) -> None:
    """Removes the local model, what spot checks set aside, and all checkpoints except the final
    state, if that is kept.
    """
    for name in ("model", run_lines.SPOT):
        shutil.rmtree(attempt.folder / name, ignore_errors=True)
    for checkpoint in (attempt.folder / run_dir.CHECKPOINTS).glob("*"):
        if kept_step is None or checkpoint.name != f"step-{kept_step}":
            shutil.rmtree(checkpoint, ignore_errors=True)
    if artifacts.is_shared() and kept_step is None:
        _discard(lambda: artifacts.discard_checkpoints(run_id=attempt.run.pk))


def _discard(discard: Callable[[], None]) -> None:
    """What a store that is down cannot delete now is listed under “Storage”, to be freed there."""
    try:
        discard()
    except store.StoreUnavailable as problem:
        logger.warning("The artifact store is away (%s): something was left in it.", problem)


def _store_answers(attempt: Attempt) -> None:
    """Of a benchmark, however its attempt ended: the next one goes on from them on any node."""
    path = attempt.folder / run_dir.ANSWERS
    if attempt.run.is_dry or not path.exists():
        return
    rows = run_dir.read_lines(path)
    while chunk := list(islice(rows, N_ANSWERS_AT_ONCE)):
        _store_answers_chunk(attempt, chunk)


def _store_answers_chunk(attempt: Attempt, rows: list[AnswerLine]) -> None:
    run = attempt.run
    if not retry_database(
        lambda: scorecards_services.store_answers(
            run_id=run.pk, attempt=run.attempt, rows=rows, now=timezone.now()
        )
    ):
        raise Superseded


def _store_responses_file(attempt: Attempt, path: Path) -> None:
    rows = run_dir.read_lines(path)
    while chunk := list(islice(rows, N_RESPONSES_AT_ONCE)):
        _store_responses(attempt, chunk)


def _store_responses(attempt: Attempt, rows: list[ResponseLine]) -> None:
    run = attempt.run
    responses = [_response(run, row) for row in rows]
    scored = [
        (response, row["score"])
        for response, row in zip(responses, rows, strict=True)
        if "score" in row
    ]
    scores = {(response.prompt_id, response.number): score for response, score in scored}
    stored = retry_database(
        lambda: registry_services.store_responses(
            run_id=run.pk, attempt=run.attempt, rows=responses, scores=scores, now=timezone.now()
        )
    )
    if stored is None:
        raise Superseded


def _response(run: Run, row: ResponseLine) -> NewResponse:
    return NewResponse(
        prompt_id=row["prompt_id"],
        text=plain_text.storable(row["text"]),
        number=response_numbers.response_number(run_id=run.pk, number=row["number"]),
        sampling=row["sampling"],
        is_ended=row["is_ended"],
        reasoning_content=plain_text.storable(row.get("reasoning_content", "")),
        tool_calls=row.get("tool_calls", []),
    )
