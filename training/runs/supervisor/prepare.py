"""Prepares an attempt: builds the job, fetches the snapshot and models, restores the state to
resume from, and starts the child process.
"""

import logging
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from labeling.guidelines import selectors as guidelines_selectors
from training.benchmarks.scorecards import answers
from training.configs.roles import ATTACKER_MODEL
from training.models import Endpoint, Run, Snapshot, TrainedModel
from training.processes import checkpoint_sums, child_process, environment, run_dir
from training.processes import launch as processes_launch
from training.processes.launch import Launch, Rendezvous
from training.registry import endpoints
from training.registry.services import UnableToRegister
from training.runs.supervisor import exit_messages
from training.runs.supervisor.attempt import Attempt, UnableToStart
from training.snapshots import freeze
from training.storage import artifacts, model_folder, store

logger = logging.getLogger(__name__)


def build_job(attempt: Attempt) -> run_dir.Job:
    """The child's instructions. Fetches everything it needs to this node. Raises UnableToStart."""
    run = attempt.run
    snapshot = _fetch_snapshot(attempt, run.snapshot)
    mixed_in = run.ptx_snapshot
    endpoint = _usable_endpoint(run.base_model)
    attacker = _usable_endpoint(run.attacker_model) if run.attacker_model else None
    beside: dict[str, Any] = {
        name: _fetch_model(attempt, model.location)
        for name, model in run.models_beside.items()
        if attacker is None or name != ATTACKER_MODEL.name
    }
    if attacker and run.attacker_model:
        beside[ATTACKER_MODEL.name] = run.attacker_model.location
    if run.reference_model_id == run.base_model_id:
        beside.pop("reference_model", None)  # the child has it already
    return run_dir.Job(
        kind=run.kind,
        run_id=run.pk,
        attempt=run.attempt,
        config=run.config,
        model=(
            run.base_model.location if endpoint else _fetch_model(attempt, run.base_model.location)
        ),
        endpoint=_address(endpoint),
        attacker_endpoint=_address(attacker),
        **beside,
        constitution=_constitution(run),
        is_dry=run.is_dry,
        auto_dtype=_auto_dtype(run),
        snapshot=str(snapshot),
        ptx_snapshot=None if mixed_in is None else str(_fetch_snapshot(attempt, mixed_in)),
        heartbeat_s=settings.RUN_HEARTBEAT_S,
        threads=max(1, child_process.n_threads() // Launch.from_json(run.launch).n_processes),
    )


def _constitution(run: Run) -> dict[str, Any] | None:
    """The principles of a run that reads some. Raises UnableToStart."""
    version = run.config.get("constitution")
    if not version:
        return None
    constitution = guidelines_selectors.constitution(version=version)
    if constitution is None:
        raise UnableToStart(
            _("The guideline of the run has no principles. Start a new run with one that has some.")
        )
    return constitution


def _auto_dtype(run: Run) -> str:
    """What the precision `auto` was where this run began, or the one that it extends."""
    if not run.auto_dtype and run.made_as == Run.MadeAs.EXTENSION and run.made_from:
        return run.made_from.auto_dtype
    return run.auto_dtype


def restore_state(attempt: Attempt) -> None:
    """Fetches the state to resume from: of an earlier attempt, or of the run that this one extends.
    Raises UnableToStart.
    """
    _remove_damaged_checkpoints(attempt)
    _restore_checkpoint(attempt)
    _restore_folds(attempt)
    _restore_answers(attempt)
    _restore_extended_state(attempt)


def start_child(attempt: Attempt, rendezvous: Rendezvous | None) -> "subprocess.Popen[bytes]":
    """Raises UnableToStart."""
    attempt.oom_kills = child_process.n_oom_kills()
    run, launch = attempt.run, Launch.from_json(attempt.run.launch)
    title, extra_env = _log_title(run), _endpoint_key(run)
    try:
        return child_process.start(
            attempt.folder,
            launch,
            n_gpus=run.n_gpus,
            memory_gb=run.memory_gb,
            title=title,
            extra_env=extra_env,
            cards=run.cards,
            rendezvous=rendezvous,
        )
    except processes_launch.NoSuchStrategy as problem:
        raise UnableToStart(_(str(problem))) from problem
    except processes_launch.UnableToLaunch as problem:
        raise UnableToStart(
            _(
                "The node's training command is “%(command)s”. Several processes need a command"
                " such as python -m training.trainer."
            )
            % {"command": problem}
        ) from problem


def _remove_damaged_checkpoints(attempt: Attempt) -> None:
    """So that the run resumes from the one before, and no later attempt meets them again."""
    steps = attempt.with_heartbeat(lambda: checkpoint_sums.remove_damaged(attempt.folder))
    if steps:
        named = ", ".join(map(str, sorted(steps)))
        run_dir.RunFolder(attempt.folder, attempt.run.attempt).append_note(
            f"Removed damaged checkpoints (steps {named}): their bytes changed on the disk. The run"
            " resumes from the one before."
        )


def _restore_checkpoint(attempt: Attempt) -> None:
    """Fetches the run's newest checkpoint from the store if it is newer than the one on
    this node.
    """
    if attempt.run.attempt == 1 or not artifacts.is_shared():
        return
    stored = attempt.fetch(lambda: artifacts.newest_checkpoint(run_id=attempt.run.pk))
    own = run_dir.newest_checkpoint(attempt.folder)
    if stored is None:
        return
    attempt.uploader.mark_sent(stored.step)
    if own is None or run_dir.checkpoint_step(own) < stored.step:
        with suppress(store.Missing):  # freed meanwhile: use the local checkpoint
            attempt.fetch(lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
            logger.info(
                "Run %s resumes from step %s, fetched from the store.", attempt.run.pk, stored.step
            )


def _restore_folds(attempt: Attempt) -> None:
    """Fetches the cross-validation folds that another node has measured."""
    if attempt.run.attempt == 1 or not artifacts.is_shared():
        return
    with suppress(store.Missing):  # freed meanwhile
        n = attempt.fetch(
            lambda: artifacts.fetch_folds(run_id=attempt.run.pk, folder=attempt.folder)
        )
        attempt.uploader.mark_folds_sent(n)


def _restore_answers(attempt: Attempt) -> None:
    """Writes the answers that an earlier attempt of a benchmark gave on another node."""
    path = attempt.folder / run_dir.ANSWERS
    if attempt.run.attempt == 1 or path.exists():
        return
    if rows := list(answers.stored_rows(run=attempt.run)):
        run_dir.RunFolder(attempt.folder, attempt.run.attempt).append_lines(run_dir.ANSWERS, rows)


def _restore_extended_state(attempt: Attempt) -> None:
    """An extension starts from the final state of the run that it extends. Raises UnableToStart."""
    run = attempt.run
    if run.made_as != Run.MadeAs.EXTENSION or run_dir.newest_checkpoint(attempt.folder) is not None:
        return
    extended = Path(settings.RUNS_DIR) / str(run.made_from_id)
    own = attempt.with_heartbeat(lambda: checkpoint_sums.newest_intact(extended))
    stored = (
        attempt.fetch(lambda: artifacts.newest_checkpoint(run_id=run.made_from_id or 0))
        if artifacts.is_shared()
        else None
    )
    if own is not None:
        aside = attempt.folder / run_dir.CHECKPOINTS / f"{run_dir.TEMPORARY}{own.name}"
        shutil.copytree(own, aside)
        aside.rename(aside.with_name(own.name))
    elif stored is not None:
        attempt.fetch(lambda: artifacts.fetch_checkpoint(stored, attempt.folder))
    else:
        raise UnableToStart(
            _("The state of the run “%(run)s” no longer exists. Duplicate the run instead.")
            % {"run": run.made_from}
        )


def _fetch_snapshot(attempt: Attempt, snapshot: Snapshot) -> Path:
    if snapshot.n_rows == 0:
        raise UnableToStart(
            _("The snapshot “%(name)s” is empty. Create a new snapshot.") % {"name": snapshot}
        )
    folder = attempt.fetch(lambda: artifacts.fetch_snapshot(snapshot.folder))
    if not folder.is_dir():
        raise UnableToStart(
            _("The folder of the snapshot “%(name)s” is missing on this node.") % {"name": snapshot}
        )
    if not freeze.is_intact(folder, snapshot.fingerprint):
        raise UnableToStart(
            _("The files of the snapshot “%(name)s” were changed. Create a new snapshot.")
            % {"name": snapshot}
        )
    return folder


def _fetch_model(attempt: Attempt, location: str) -> str:
    try:
        return attempt.fetch(lambda: artifacts.fetch_model(location))
    except model_folder.UnreadableModel as problem:
        raise UnableToStart(problem.sentence) from problem
    except artifacts.ModelMissing as problem:
        raise UnableToStart(
            _(
                "The model folder %(folder)s is missing on this node. Restore it or register its"
                " new location, then retry."
            )
            % {"folder": location}
        ) from problem


def _log_title(run: Run) -> str:
    return f"{exit_messages.ATTEMPT_BEGINS}{run.attempt} on {run.node}"


def _endpoint_key(run: Run) -> dict[str, str]:
    """The API keys of the run's endpoints, as environment variables. The child gets no
    other key.
    """
    models = [model for model in (run.base_model, run.attacker_model) if model is not None]
    remote = [endpoints.endpoint_of(model=model) for model in models]
    variables = {endpoint.key_variable for endpoint in remote if endpoint}
    keys = {name: environment.key_of(name) for name in variables}
    return {name: key for name, key in keys.items() if key}


def _usable_endpoint(model: TrainedModel) -> Endpoint | None:
    """The model's endpoint, or None for weights. Raises UnableToStart."""
    endpoint = endpoints.endpoint_of(model=model)
    if endpoint:
        try:
            endpoints.check_use(endpoint=endpoint)
        except UnableToRegister as problem:
            raise UnableToStart(problem.sentence) from problem
    return endpoint


def _address(endpoint: Endpoint | None) -> tuple[str, str, str] | None:
    return (endpoint.url, endpoint.served_name, endpoint.key_variable) if endpoint else None
