"""Every write to the model registry, and the responses of its models."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs import guard
from labeling.data import intake
from labeling.models import Response, Source
from training.configs import kinds
from training.models import Run, TrainedModel
from training.snapshots.response_numbers import numbers_of
from training.storage import artifacts, model_folder

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


class UnableToRegister(Refusal):
    """The model cannot be registered; the text says what to change."""


def register_model(
    *,
    name: str,
    kind: str,
    location: str,
    licence: str,
    notes: str = "",
    is_elsewhere: bool = False,
    source: Source | None = None,
    by: User | None,
    now: datetime,
) -> TrainedModel:
    """Registers a base model in a folder or on the hub. `is_elsewhere`: the folder is on the GPU
    nodes and cannot be checked here. `source`: the existing source of its responses, if some are
    stored already.

    Raises UnableToRegister.
    """
    refuse_taken_name(name=name)
    _refuse_bad_location(location, is_elsewhere=is_elsewhere)
    with transaction.atomic():
        model = TrainedModel.objects.create(
            name=name,
            kind=kind,
            location=location,
            licence=licence,
            notes=notes,
            source=source or intake.source_for_model(name=opaque_name(), licence=licence),
            created_by=by,
            created_at=now,
        )
        audit_log.record(by, "register", model, after={"name": name, "location": location}, now=now)
    return model


def register_trained_model(
    *, run: Run, location: str, metrics: Mapping[str, object], now: datetime
) -> TrainedModel:
    """Registers the model of a run. The name of its source tells raters nothing. A run that was
    resumed has left a model before: that model gets the new weights.
    """
    earlier = TrainedModel.objects.filter(run=run).first()
    if earlier is not None:
        earlier.location, earlier.metrics = location, metrics
        earlier.save(update_fields=["location", "metrics"])
        return earlier
    licence = run.base_model.licence
    config, _problems = kinds.parse(run.kind, run.config)
    is_descendant = config is None or config.keeps_weights
    return TrainedModel.objects.create(
        name=_free_name(f"{run.kind}-{run.pk}"),
        kind=kinds.KINDS[run.kind].leaves,
        location=location,
        licence=licence,
        parent=run.base_model if is_descendant else None,
        run=run,
        source=intake.source_for_model(name=opaque_name(), licence=licence),
        metrics=metrics,
        created_by=run.created_by,
        created_at=now,
    )


def store_responses(
    *,
    run_id: int,
    attempt: int,
    rows: Sequence[intake.NewResponse],
    scores: Mapping[tuple[int, int], float] | None = None,
    now: datetime,
) -> int | None:
    """Stores what a sampling run wrote; rows sent twice are stored once. None when the attempt is
    over.

    `scores`: the reward model's scores by prompt and number.
    """
    with transaction.atomic():
        ours = Run.objects.filter(pk=run_id, attempt=attempt, state=Run.State.RUNNING)
        if not guard.update_one(ours, heartbeat_at=now):
            return None
        run = ours.select_related("base_model__source", "reward_model__source").get()
        source = _source_of(run.base_model)
        n_new = intake.store_responses(source=source, rows=rows, now=now)
        if scores and run.reward_model is not None:
            judge = run.reward_model
            intake.store_scores(
                source=_source_of(judge),
                name=judge.name,
                scores=_by_response(source, scores),
                now=now,
            )
        return n_new


def _by_response(source: Source, scores: Mapping[tuple[int, int], float]) -> dict[int, float]:
    """Scores by response id instead of prompt and number."""
    prompts, numbers = zip(*scores, strict=True)
    stored = Response.objects.filter(
        source=source, prompt__in=set(prompts), number__in=set(numbers)
    )
    rows = stored.values_list("pk", "prompt_id", "number")
    return {pk: scores[prompt, number] for pk, prompt, number in rows if (prompt, number) in scores}


def store_scores(*, run_id: int, scores: Mapping[int, float], now: datetime) -> None:
    """Stores scores of held-out responses: by the model of a reward run, or by the one an
    evaluation used. Call it in the transaction that ends the run.
    """
    run = Run.objects.select_related("base_model__source", "reward_model__source").get(pk=run_id)
    made = TrainedModel.objects.filter(run=run).select_related("source").first()
    model = made or run.reward_model or run.base_model
    intake.store_scores(source=_source_of(model), name=model.name, scores=scores, now=now)


def _source_of(model: TrainedModel) -> Source:
    if model.source is None:
        model.source = intake.source_for_model(name=opaque_name(), licence=model.licence)
        model.save(update_fields=["source"])
    return model.source


def prompts_answered(*, runs: Sequence[Run]) -> set[int]:
    """Ids of the prompts that these sampling runs answered."""
    written = Q(pk__in=())
    for run in runs:
        own = numbers_of(run.pk)
        written |= Q(source=run.base_model.source_id, number__gte=own.start, number__lt=own.stop)
    return set(Response.objects.filter(written).values_list("prompt_id", flat=True))


def refuse_taken_name(*, name: str) -> None:
    """Raises UnableToRegister."""
    if TrainedModel.objects.filter(name=name).exists():
        raise UnableToRegister(
            _("A model called “%(name)s” already exists. Choose another name.") % {"name": name}
        )


def _refuse_bad_location(location: str, *, is_elsewhere: bool) -> None:
    if not location.startswith("/"):
        if not _HUB_NAME.fullmatch(location):
            raise UnableToRegister(
                _("“%(location)s” is not a full path or a hub name such as owner/model.")
                % {"location": location}
            )
        return
    if not artifacts.is_permitted(location):
        # The same sentence whether the folder exists or not.
        raise UnableToRegister(
            _(
                "%(location)s is not in a folder for models. An operator can add its folder to"
                " PREFERABLY_MODEL_ROOTS."
            )
            % {"location": location}
        )
    folder = Path(location)
    # os.path returns False where pathlib raises, for a name that is too long.
    if is_elsewhere and not os.path.exists(folder):
        return
    if not os.path.isdir(folder):
        raise UnableToRegister(
            _(
                "The folder %(location)s does not exist on this machine. Correct the path, or"
                " select that it is only on the GPU nodes."
            )
            % {"location": location}
        )
    if not (folder / "config.json").is_file():
        raise UnableToRegister(
            _("The folder %(location)s contains no model: config.json is missing.")
            % {"location": location}
        )
    try:
        model_folder.check(folder)
    except model_folder.UnreadableModel as problem:
        raise UnableToRegister(problem.sentence) from problem


def opaque_name() -> str:
    """A name for a source that tells raters nothing."""
    return f"model-{uuid4().hex[:12]}"


def _free_name(wanted: str) -> str:
    taken = set(TrainedModel.objects.filter(name__startswith=wanted).values_list("name", flat=True))
    return next(
        name
        for name in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3)))
        if name not in taken
    )
