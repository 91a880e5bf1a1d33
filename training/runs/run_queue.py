"""The line of waiting runs: what may join it, and who goes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from accounts.webhooks.services import Event
from training import configs
from training.configs import roles
from training.configs.knobs import REQUIRED, Settings
from training.configs.roles import NONE, Role
from training.configs.sizes import Inputs
from training.models import Run, Snapshot, TrainedModel
from training.processes import doorbell
from training.processes import launch as processes_launch
from training.processes.launch import Launch
from training.runs import run_finished
from training.runs.costs import forecast
from training.runs.placement import in_line
from training.storage import artifacts


class UnableToQueue(Refusal):
    """The run asked for cannot be run; the text says what to change."""


class UnableToExtend(UnableToQueue):
    """The run has left no state to go on from."""


@dataclass(frozen=True)
class Wish:
    """What a run asks for beside its settings, and what people say about it."""

    n_gpus: int = 0
    memory_gb: int = 0
    priority: int = 0
    tags: tuple[str, ...] = ()
    remarks: str = ""
    is_dry: bool = False
    launch: Launch = processes_launch.ALONE


def snapshot_kinds(kind: str) -> tuple[Snapshot.Kind, ...]:
    """What a run of this kind learns from, or answers; the usual one first."""
    return tuple(Snapshot.Kind(name) for name in configs.KINDS[kind].snapshots)


def store_problem(launch: Launch) -> str:
    """Why its machines cannot hand files on to one another; empty when they can."""
    if launch.n_machines == 1 or artifacts.is_shared():
        return ""
    return _(
        "Several machines need an artifact store that all of them can reach, such as s3://. Request"
        " one machine."
    )


def queue_run(
    *,
    kind: str,
    name: str,
    config: Mapping[str, Any],
    snapshot: Snapshot,
    base_model: TrainedModel,
    models: Mapping[str, TrainedModel | None] = NONE,
    wish: Wish = Wish(),
    made_from: Run | None = None,
    made_as: str = "",
    by: User | None,
    now: datetime,
) -> Run:
    """A queued run, its doorbell rung on commit. Only a node that has what it wishes for takes it.
    `models` are those beside the base model, by role.

    Raises UnableToQueue.
    """
    parsed, problems = configs.parse(kind, config)
    if parsed is None:
        raise UnableToQueue(" ".join(problem.sentence for problem in problems))
    if refused := processes_launch.problems(
        wish.launch, kind=kind, config=parsed, n_gpus=wish.n_gpus
    ):
        raise UnableToQueue(" ".join(_(sentence) for sentence in refused))
    if problem := store_problem(wish.launch):
        raise UnableToQueue(problem)
    beside = {name: model for name, model in models.items() if model is not None}
    _refuse_misfits(configs.KINDS[kind], snapshot, base_model, beside)
    expected = forecast(
        kind=kind,
        config=parsed,
        snapshot=snapshot,
        base_model=base_model,
        models=beside,
        launch=wish.launch,
    )
    with transaction.atomic():
        _refuse_gone([base_model, *beside.values()])
        if made_from is not None and made_as == Run.MadeAs.EXTENSION:
            _refuse_without_state(made_from)
        run = Run.objects.create(
            name=name,
            kind=kind,
            config=configs.as_json(parsed),
            snapshot=snapshot,
            base_model=base_model,
            **beside,
            n_gpus=wish.n_gpus,
            memory_gb=wish.memory_gb,
            launch=wish.launch.as_json(),
            priority=wish.priority,
            tags=sorted(set(wish.tags)),
            remarks=wish.remarks,
            is_dry=wish.is_dry,
            made_from=made_from,
            made_as=made_as or (Run.MadeAs.COPY if made_from else ""),
            wanted_node=(
                _bound_to(made_from) if made_from and made_as == Run.MadeAs.EXTENSION else ""
            ),
            estimate=expected.cost.as_json(),
            created_by=by,
            created_at=now,
        )
        audit_log.record(
            by=by, action="queue", target=run, after={"kind": kind, "name": name}, now=now
        )
        run_finished.tell_webhooks(event=Event.RUN_QUEUED, run_id=run.pk, now=now)
        transaction.on_commit(partial(doorbell.ring, run.pk))
    return run


def extend_run(*, run: Run, name: str, amount: int, by: User, now: datetime) -> Run:
    """A new run that goes on from the last state of an ended one, until it has made `amount` in all
    of what the kind counts: epochs, steps or episodes. Raises UnableToExtend and UnableToQueue.
    """
    field = extended_by(run=run)
    if run.state != Run.State.FINISHED or run.kept_step is None or field is None:
        raise _without_state()
    if amount <= (run.config.get(field) or 0) and run.outcome == Run.Outcome.SUCCEEDED:
        raise UnableToExtend(
            _("The run has already done %(n)s. Enter a larger total.")
            % {"n": run.config.get(field)}
        )
    return queue_run(
        kind=run.kind,
        name=name,
        config=run.config | {field: amount},
        snapshot=run.snapshot,
        base_model=run.base_model,
        models=run.models_beside,
        wish=Wish(
            n_gpus=run.n_gpus,
            memory_gb=run.memory_gb,
            tags=tuple(run.tags),
            launch=Launch.from_json(run.launch),
        ),
        made_from=run,
        made_as=Run.MadeAs.EXTENSION,
        by=by,
        now=now,
    )


def _bound_to(run: Run) -> str:
    """The node that has its state; none where every node sees it."""
    return "" if artifacts.is_shared() else run.node


def extended_by(*, run: Run) -> str | None:
    """The setting that says how long this run goes on."""
    settings = configs.KINDS[run.kind].extended_by
    return next((name for name in settings if run.config.get(name)), None)


def set_priority(*, run: Run, priority: int, by: User, now: datetime) -> bool:
    """Where a waiting run stands in line: the highest goes first. False when it waits no more."""
    with transaction.atomic():
        is_changed = (
            Run.objects.filter(pk=run.pk, state=Run.State.QUEUED).update(priority=priority) == 1
        )
        if is_changed:
            audit_log.record(
                by=by,
                action="reorder",
                target=run,
                before={"priority": run.priority},
                after={"priority": priority},
                now=now,
            )
    return is_changed


def move_run(*, run: Run, places: int, by: User, now: datetime) -> bool:
    """Past so many others in line: below 0 forward, above 0 back. False when it waits no more, or
    has nobody to pass.

    It takes over the priority of the one it passes, and those of its new neighbours part where they
    were equal.
    """
    with transaction.atomic():
        waiting = list(in_line().select_for_update())
        before = next((index for index, one in enumerate(waiting) if one.pk == run.pk), None)
        if before is None:
            return False
        after = min(max(before + places, 0), len(waiting) - 1)
        if after == before:
            return False
        waiting.insert(after, waiting.pop(before))
        _renumber(waiting)
        audit_log.record(
            by=by,
            action="reorder",
            target=run,
            before={"place": before + 1},
            after={"place": after + 1},
            now=now,
        )
    return True


def _renumber(waiting: Sequence[Run]) -> None:
    """Priorities that give this order, each raised only as far as the order needs: the last keeps
    its own.
    """
    changed = []
    floor = None
    for run in reversed(waiting):
        wanted = run.priority if floor is None else max(run.priority, floor + 1)
        if wanted != run.priority:
            run.priority = wanted
            changed.append(run)
        floor = run.priority
    Run.objects.bulk_update(changed, ["priority"])


def _refuse_gone(models: Sequence[TrainedModel]) -> None:
    """Those that were freed or retired. Holds their rows until the run is in line, so that nobody
    does so meanwhile.
    """
    rows = TrainedModel.objects.select_for_update().filter(pk__in=[one.pk for one in models])
    for model in rows.order_by("pk"):
        if model.freed_at is not None:
            raise UnableToQueue(
                _("The weights of “%(model)s” were deleted. Choose another model.")
                % {"model": model}
            )
        if model.stage == TrainedModel.Stage.RETIRED:
            raise UnableToQueue(
                _("“%(model)s” is retired. Choose another model, or make it a candidate again.")
                % {"model": model}
            )


def _without_state() -> UnableToExtend:
    return UnableToExtend(_("This run kept no state to continue from. Duplicate it instead."))


def _refuse_without_state(run: Run) -> None:
    """Holds its row until the extension is in line, so that nobody frees its state meanwhile."""
    if Run.objects.select_for_update(of=("self",)).get(pk=run.pk).kept_step is None:
        raise _without_state()


def _refuse_misfits(
    about: type[Settings],
    snapshot: Snapshot,
    base_model: TrainedModel,
    beside: Mapping[str, TrainedModel],
) -> None:
    """What such a run cannot take. Each by itself first, then whether they go together."""
    if snapshot.kind not in about.snapshots:
        wanted = " / ".join(str(one.label) for one in snapshot_kinds(about.kind))
        raise UnableToQueue(
            _("“%(snapshot)s” contains no %(wanted)s. Choose another snapshot.")
            % {
                "snapshot": snapshot,
                "wanted": wanted,
            }
        )
    for model in (base_model, *beside.values()):
        if not about.takes_endpoints and hasattr(model, "endpoint"):
            raise UnableToQueue(
                _("“%(model)s” is an external model. You can only sample from it.")
                % {"model": model}
            )
    if base_model.kind not in about.starts_from:
        raise UnableToQueue(
            _("“%(model)s” only gives scores and writes no text. Choose a language model.")
            % {"model": base_model}
        )
    for role in roles.BESIDE:
        _refuse_role(about, role, beside)
    inputs = Inputs(snapshot.kind, base_model.kind, frozenset(beside))
    if sentence := about.misfit(inputs):
        raise UnableToQueue(_(sentence))


def _refuse_role(about: type[Settings], role: Role, beside: Mapping[str, TrainedModel]) -> None:
    use, model = about.takes.get(role.name), beside.get(role.name)
    if model is None:
        if use == REQUIRED:
            named = {"kind": _(about.label), "role": _(role.label)}
            raise UnableToQueue(_(role.missing) % named)
        return
    if use is None or model.kind != role.kind:
        raise UnableToQueue(_(role.misfit) % {"model": model})
    if model == beside.get(role.apart_from):
        raise UnableToQueue(_(role.twice) % {"model": model})
