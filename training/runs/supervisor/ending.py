"""What an attempt leaves: its responses, its model and its last state are kept before the run
counts as finished.
"""

import logging
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils import timezone

from labeling.data.intake import NewResponse
from pages import plain_text
from training.models import Run
from training.processes import run_dir
from training.registry import selectors as registry_selectors
from training.registry import services as registry_services
from training.runs import services as runs_services
from training.runs.services import Ending
from training.runs.supervisor import exit_messages
from training.runs.supervisor.attempt import (
    Attempt,
    Superseded,
    os_sentence,
    patiently,
    store_sentence,
)
from training.runs.supervisor.exit_messages import LastWords, Next
from training.snapshots import response_numbers
from training.storage import artifacts, store

logger = logging.getLogger(__name__)

N_RESPONSES_AT_ONCE = 500


def conclude(attempt: Attempt, words: LastWords) -> None:
    """Turns the last words into the run's next state. Raises Superseded."""
    patiently(attempt.beat)
    verdict = exit_messages.judge(words)
    run = attempt.run
    is_cut_short = (
        verdict.next == Next.STOPPED and not verdict.sentence and not attempt.is_stop_requested
    )
    if is_cut_short and attempt.has_left:
        _send_last_checkpoint(attempt)
        raise attempt.left()
    if verdict.next == Next.AGAIN:
        _send_last_checkpoint(attempt)
        patiently(
            lambda: runs_services.give_up_attempt(
                run_id=run.pk, attempt=run.attempt, reason=verdict.sentence, now=timezone.now()
            )
        )
        return
    try:
        ending = _ending(attempt, words, verdict)
    except OSError as problem:
        ending = Ending(outcome=Run.Outcome.FAILED, error=os_sentence(problem))
    except store.StoreAway as problem:
        if attempt.is_leaving():
            raise attempt.left() from problem
        ending = Ending(outcome=Run.Outcome.FAILED, error=store_sentence(problem))
    finish(attempt, ending)


def finish(attempt: Attempt, ending: Ending) -> None:
    run = attempt.run
    kept = patiently(
        lambda: runs_services.finish_run(
            run_id=run.pk, attempt=run.attempt, ending=ending, now=timezone.now()
        )
    )
    if kept or _was_entered(ending):
        logger.info("Run %s ends: %s. %s", run.pk, ending.outcome, ending.error)
        if ending.outcome == Run.Outcome.SUCCEEDED:
            _clear(attempt, ending.kept_step)
        return
    if ending.model:
        _freed(lambda: artifacts.discard_model(str(ending.model)))
    raise Superseded


def _was_entered(ending: Ending) -> bool:
    """Whether a try before the last was committed and only its answer was lost: then the weights
    are a registered model's.
    """
    return ending.model is not None and patiently(
        lambda: registry_selectors.is_registered(location=str(ending.model))
    )


def _send_last_checkpoint(attempt: Attempt) -> None:
    """Another node may be the next to take the run. A store that is away does not hold it up."""
    try:
        attempt.beating(attempt.shipper.finish)
    except store.StoreAway as problem:
        logger.warning(
            "Run %s: its last checkpoint stays on this node: %s", attempt.run.pk, problem
        )


def _ending(attempt: Attempt, words: LastWords, verdict: exit_messages.Verdict) -> Ending:
    """What the run leaves: its responses are handed on and its model is kept before the run counts
    as finished.
    """
    result = words.result or run_dir.Result(outcome=verdict.next)
    location = None
    if verdict.next != Next.FAILED and not attempt.run.is_dry:
        if result.responses:
            _hand_on_responses(attempt, attempt.folder / result.responses)
        if result.model:
            folder, name = (
                attempt.folder / result.model,
                f"run-{attempt.run.pk}-{attempt.run.attempt}",
            )
            location = attempt.transferred(lambda: artifacts.keep_model(folder, name=name))
    return Ending(
        outcome=Run.Outcome(verdict.next),
        error=verdict.sentence,
        metrics=result.metrics,
        versions=result.versions,
        n_steps=result.n_steps,
        model=location,
        kept_step=_kept_step(attempt, result),
        scores=(
            _scores(attempt.folder / result.scores)
            if result.scores and not attempt.run.is_dry
            else {}
        ),
    )


def _scores(path: Path) -> dict[int, float]:
    return {row["response"]: row["score"] for row in run_dir.read_lines(path)}


def _kept_step(attempt: Attempt, result: run_dir.Result) -> int | None:
    """Of the state that is as far as the model that was left: a later run goes on from it. It goes
    to a store that is shared.
    """
    newest = run_dir.newest_checkpoint(attempt.folder)
    if newest is None or attempt.run.is_dry or run_dir.checkpoint_step(newest) != result.n_steps:
        return None
    _send_last_checkpoint(attempt)
    return run_dir.checkpoint_step(newest)


def _clear(attempt: Attempt, kept_step: int | None) -> None:
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


def _hand_on_responses(attempt: Attempt, path: Path) -> None:
    rows = run_dir.read_lines(path)
    while chunk := list(islice(rows, N_RESPONSES_AT_ONCE)):
        _store_responses(attempt, chunk)


def _store_responses(attempt: Attempt, rows: list[dict[str, Any]]) -> None:
    run = attempt.run
    responses = [_response(run, row) for row in rows]
    scored = [
        (one, row["score"]) for one, row in zip(responses, rows, strict=True) if "score" in row
    ]
    scores = {(one.prompt_id, one.number): score for one, score in scored}
    stored = patiently(
        lambda: registry_services.store_responses(
            run_id=run.pk, attempt=run.attempt, rows=responses, scores=scores, now=timezone.now()
        )
    )
    if stored is None:
        raise Superseded


def _response(run: Run, row: dict[str, Any]) -> NewResponse:
    return NewResponse(
        prompt_id=row["prompt_id"],
        text=plain_text.storable(row["text"]),
        number=response_numbers.response_number(run_id=run.pk, number=row["number"]),
        sampling=row["sampling"],
        is_ended=row["is_ended"],
    )
