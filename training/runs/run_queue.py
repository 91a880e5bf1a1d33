"""The queue of runs: adding a run, what is refused, and the order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from accounts.webhooks.services import Event
from jobs import guard
from knobs.fields import Problem
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Guideline, Pool
from training.benchmarks.scoring import rules
from training.configs import kinds, roles
from training.configs.knobs import REQUIRED, Settings, SpotCheckKnobs
from training.configs.roles import NONE, REFERENCE_MODEL, Role
from training.models import Run, Snapshot, TrainedModel
from training.processes import launch as processes_launch
from training.processes.launch import Launch
from training.processes.messages import RUNS
from training.registry import selectors as registry_selectors
from training.runs import resuming, run_finished
from training.runs.estimates import costs, plan
from training.runs.placement import queued_runs
from training.storage import artifacts


class UnableToQueue(Refusal):
    """The run cannot be started as requested; the text says what to change."""


@dataclass(frozen=True)
class Raters:
    """Who compares a run's checkpoints in spot checks, and by which guideline."""

    pool: Pool
    guideline: Guideline

    @classmethod
    def of(cls, pool: Pool | None, guideline: Guideline | None) -> "Raters | None":
        return cls(pool, guideline) if pool and guideline else None


class UnableToPlan(UnableToQueue):
    """The run cannot be, or not on any node that could take it; `problems` name the fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.sentence_in(_) for problem in problems))
        self.problems = problems


class UnableToExtend(UnableToQueue):
    """The run has no saved state to continue from."""


@dataclass(frozen=True)
class RunOptions:
    """What a run requests besides its settings: resources, priority, and how people label it."""

    n_gpus: int = 0
    memory_gb: int = 0
    priority: int = 0
    tags: tuple[str, ...] = ()
    remarks: str = ""
    is_dry: bool = False
    launch: Launch = processes_launch.SINGLE_PROCESS


def snapshot_kinds(kind: str) -> tuple[Snapshot.Kind, ...]:
    """The kinds of snapshot that such a run takes; the usual one first."""
    return tuple(Snapshot.Kind(name) for name in kinds.KINDS[kind].snapshots)


def reads_suites(kind: str) -> bool:
    """Whether people choose suites for such a run, of which its snapshot is made."""
    return snapshot_kinds(kind) == (Snapshot.Kind.SUITES,)


def store_problem(launch: Launch) -> str:
    """Why several machines could not share files; "" if they can."""
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
    config: Mapping[str, object],
    snapshot: Snapshot,
    base_model: TrainedModel,
    models: Mapping[str, TrainedModel | None] = NONE,
    ptx_snapshot: Snapshot | None = None,
    raters: Raters | None = None,
    options: RunOptions = RunOptions(),
    made_from: Run | None = None,
    made_as: str = "",
    by: User | None,
    now: datetime,
) -> Run:
    """Creates a queued run, and rings for a worker on commit. Only a node with the requested
    resources takes it. `models` are those beside the base model, by role; `ptx_snapshot` is the
    text that PPO-ptx mixes in; `raters` are those of its spot checks.

    Raises UnableToQueue.
    """
    parsed, problems = kinds.parse(kind, config)
    if parsed is None:
        raise UnableToQueue(" ".join(problem.sentence_in(_) for problem in problems))
    is_extension = made_as == Run.MadeAs.EXTENSION
    misfits = (
        # It goes on as it ran: what an earlier release let start, this one lets end.
        processes_launch.misfits(options.launch, config=parsed, n_gpus=options.n_gpus)
        if is_extension
        else plan.launch_misfits(parsed, options.launch, options.n_gpus)
    )
    _refuse_plan(tuple(misfits))
    if problem := store_problem(options.launch):
        raise UnableToQueue(problem)
    _refuse_text(kinds.KINDS[kind], ptx_snapshot)
    if refused := parsed.data_problems(snapshot.kind, has_text=ptx_snapshot is not None):
        raise UnableToQueue(" ".join(_(sentence) for sentence in refused))
    _refuse_patterns(parsed)
    _refuse_without_principles(parsed)
    asked = _asked(parsed, raters, options)
    beside = {name: model for name, model in models.items() if model is not None}
    if REFERENCE_MODEL.name in kinds.KINDS[kind].takes and not is_extension:
        # An extension goes on with the reference that its state was trained with.
        beside.setdefault(REFERENCE_MODEL.name, registry_selectors.start_of_line(model=base_model))
    _refuse_misfits(parsed, snapshot, base_model, beside)
    expected = costs.forecast(
        kind=kind,
        config=parsed,
        snapshot=snapshot,
        base_model=base_model,
        models=beside,
        launch=options.launch,
        n_gpus=options.n_gpus,
        memory_gb=options.memory_gb,
        now=now,
    )
    if not is_extension:
        # A dry run measures what else is estimated.
        planned = expected.planned
        _refuse_plan(planned.misfits if options.is_dry else planned.refusals)
    with transaction.atomic():
        _refuse_unavailable_models([base_model, *beside.values()])
        if made_from is not None and is_extension:
            _refuse_without_state(made_from)
        run = Run.objects.create(
            name=name,
            kind=kind,
            config=kinds.as_json(parsed),
            snapshot=snapshot,
            ptx_snapshot=ptx_snapshot,
            spot_pool=asked.pool if asked else None,
            spot_guideline=asked.guideline if asked else None,
            base_model=base_model,
            **beside,
            n_gpus=options.n_gpus,
            memory_gb=options.memory_gb,
            launch=options.launch.as_json(),
            priority=options.priority,
            tags=sorted(set(options.tags)),
            remarks=options.remarks,
            is_dry=options.is_dry,
            made_from=made_from,
            made_as=made_as or (Run.MadeAs.COPY if made_from else ""),
            wanted_node=(
                resuming.node_with_state(run=made_from) if made_from and is_extension else ""
            ),
            estimate=expected.cost.as_json(),
            created_by=by,
            created_at=now,
        )
        audit_log.record(by, "queue", run, after={"kind": kind, "name": name}, now=now)
        run_finished.queue_webhooks(event=Event.RUN_QUEUED, run_id=run.pk, now=now)
        RUNS.wake_on_commit(run.pk)
    return run


def _refuse_plan(problems: Sequence[Problem]) -> None:
    if problems:
        raise UnableToPlan(problems)


def _asked(config: Settings, raters: Raters | None, options: RunOptions) -> Raters | None:
    """The raters of a run that has spot checks. Raises UnableToQueue if it has no raters."""
    if not isinstance(config, SpotCheckKnobs) or not config.n_spot_checks or options.is_dry:
        return None
    if raters is None:
        raise UnableToQueue(
            _(
                "Spot checks need raters and a guideline. Choose a pool and a guideline, or set"
                " “Spot checks” to 0."
            )
        )
    return raters


def extend_run(*, run: Run, name: str, amount: int, by: User, now: datetime) -> Run:
    """Queues a new run that continues from the final state of `run` until it has done `amount` in
    total. The unit is the kind's own: epochs, steps or episodes.

    Raises UnableToExtend and UnableToQueue.
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
        ptx_snapshot=run.ptx_snapshot,
        raters=Raters.of(run.spot_pool, run.spot_guideline),
        options=RunOptions(
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


def extended_by(*, run: Run) -> str | None:
    """The setting that limits how long this run lasts; an extension raises it."""
    settings = kinds.KINDS[run.kind].extended_by
    return next((name for name in settings if run.config.get(name)), None)


def set_priority(*, run: Run, priority: int, by: User, now: datetime) -> bool:
    """The highest priority runs first. False when the run is no longer queued."""
    with transaction.atomic():
        is_changed = guard.update_one(
            Run.objects.filter(pk=run.pk, state=Run.State.QUEUED), priority=priority
        )
        if is_changed:
            audit_log.record(
                by,
                "reorder",
                run,
                before={"priority": run.priority},
                after={"priority": priority},
                now=now,
            )
    return is_changed


def move_run(*, run: Run, places: int, by: User, now: datetime) -> bool:
    """Moves a queued run by `places`: negative is towards the front. False when it is no longer
    queued or is already at that end.

    Priorities are renumbered only as far as the new order needs.
    """
    with transaction.atomic():
        waiting = list(queued_runs().select_for_update())
        before = next(
            (index for index, candidate in enumerate(waiting) if candidate.pk == run.pk), None
        )
        if before is None:
            return False
        after = min(max(before + places, 0), len(waiting) - 1)
        if after == before:
            return False
        waiting.insert(after, waiting.pop(before))
        _renumber(waiting)
        audit_log.record(
            by, "reorder", run, before={"place": before + 1}, after={"place": after + 1}, now=now
        )
    return True


def _renumber(waiting: Sequence[Run]) -> None:
    """Sets priorities that give this order. The last run keeps its own; the others are raised only
    as far as needed.
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


def _refuse_unavailable_models(models: Sequence[TrainedModel]) -> None:
    """Refuses models that are retired, whose weights were deleted, or whose run was resumed and
    will replace them. Locks their rows, so that none of this happens before the run is queued.
    """
    rows = TrainedModel.objects.select_for_update(of=("self",)).select_related("run")
    for model in rows.filter(pk__in=[given_model.pk for given_model in models]).order_by("pk"):
        if registry_selectors.is_still_training(model=model):
            raise UnableToQueue(
                _(
                    "The run of “%(model)s” was resumed. Wait until it ends, or choose another"
                    " model."
                )
                % {"model": model}
            )
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
    """Locks the row, so that nobody frees the state before the extension is queued."""
    if Run.objects.select_for_update(of=("self",)).get(pk=run.pk).kept_step is None:
        raise _without_state()


def _refuse_text(about: type[Settings], text: Snapshot | None) -> None:
    if text is None:
        return
    if not about.mixes_text:
        words = _("%(kind)s mixes no text in. Choose none.")
        raise UnableToQueue(words % {"kind": capfirst(_(about.label))})
    if text.kind != Snapshot.Kind.TEXT:
        words = _("“%(snapshot)s” is no snapshot of text. Choose another, or none.")
        raise UnableToQueue(words % {"snapshot": text})


def _refuse_patterns(config: Settings) -> None:
    for pattern in config.patterns:
        if problem := rules.pattern_problem(pattern):
            words = _(
                "“%(pattern)s” is not a regular expression that RE2 accepts: %(why)s. Correct the"
                " pattern."
            )
            raise UnableToQueue(words % {"pattern": pattern, "why": problem})


def _refuse_without_principles(config: Settings) -> None:
    version = getattr(config, "constitution", 0)
    if config.reads_principles and guidelines_selectors.constitution(version=version) is None:
        raise UnableToQueue(
            _(
                "The run has no principles. Choose a guideline with principles, or add some on a"
                " guideline's page."
            )
        )


def _refuse_misfits(
    config: Settings,
    snapshot: Snapshot,
    base_model: TrainedModel,
    beside: Mapping[str, TrainedModel],
) -> None:
    """Checks each input by itself first, then the combination."""
    about = type(config)
    if snapshot.kind not in about.snapshots:
        wanted = " / ".join(str(kind.label) for kind in snapshot_kinds(about.kind))
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
    inputs = costs.inputs_of(snapshot=snapshot, base_model=base_model, models=beside)
    if sentence := about.misfit(inputs):
        raise UnableToQueue(_(sentence))
    if refused := config.input_problems(inputs):
        raise UnableToQueue(" ".join(_(words) for words in refused))


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
