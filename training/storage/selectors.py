"""What uses disk space, and why it is kept: each run, model and snapshot, here and in the artifact
store.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from training.configs import roles
from training.models import Chain, Link, Publication, Run, Schedule, Snapshot, TrainedModel
from training.storage import artifacts, disk_usage, retention
from training.storage.disk_usage import DiskUsage, RunUsage
from training.storage.retention import Candidate, KeepReason

RESUMABLE = (Run.Outcome.FAILED, Run.Outcome.LOST, Run.Outcome.STOPPED)
_NONE: frozenset[KeepReason] = frozenset()
_USES = tuple(f"{name}_id" for name in roles.NAMES)


@dataclass(frozen=True)
class Holding:
    """A run, model or snapshot and its size in bytes. `is_freeable`: there is no reason
    to keep it.
    """

    what: str
    pk: int
    name: str
    made_at: datetime
    checkpoints: int
    weights: int
    logs: int
    stored: int
    why: tuple[Promise, ...]
    is_freeable: bool
    node: str = ""
    """the node with the state, if this machine cannot see it"""
    unregistered: tuple[str, ...] = ()
    """locations of models that an attempt left and that were never registered"""
    can_be_given_up: bool = False
    """whether a person may free it although the run could still be resumed"""

    @property
    def key(self) -> str:
        return f"{self.what}-{self.pk}"

    @property
    def total(self) -> int:
        return self.checkpoints + self.weights + self.logs + self.stored

    @property
    def without_logs(self) -> int:
        """What freeing it gains: logs are kept."""
        return self.total - self.logs

    @property
    def freed(self) -> int:
        return self.without_logs if self.is_freeable else 0


@dataclass(frozen=True)
class Overview:
    """Largest first."""

    holdings: list[Holding]
    free_bytes: int
    is_store_down: bool
    copies: int
    """bytes of local copies of models that are also in the store"""

    @property
    def freeable(self) -> list[Holding]:
        return [holding for holding in self.holdings if holding.is_freeable]

    @property
    def total(self) -> int:
        return sum(holding.total for holding in self.holdings) + self.copies

    @property
    def freed(self) -> int:
        return sum(holding.freed for holding in self.holdings)


def overview(*, made_before: datetime | None = None) -> Overview:
    """With `made_before`, nothing newer is freeable."""
    usage = disk_usage.measure()
    roots = _roots()
    holdings = [
        *_models(usage, roots, made_before),
        *_runs(usage, roots, made_before),
        *_snapshots(usage),
    ]
    taking = [holding for holding in holdings if holding.total or holding.is_freeable]
    ordered = sorted(taking, key=lambda holding: (-holding.total, holding.key))
    return Overview(ordered, usage.free_bytes, usage.is_store_down, sum(usage.copies.values()))


def why_kept(*, model: TrainedModel) -> frozenset[KeepReason]:
    """Why this model's weights are kept; empty if they can be freed."""
    candidates = _model_candidates(_roots())
    return retention.keep_reasons(candidates).get(model.pk, _NONE)


# --- models ---------------------------------------------------------------------------------------


def _models(
    usage: DiskUsage, roots: Mapping[int, int], made_before: datetime | None
) -> list[Holding]:
    reasons = retention.keep_reasons(_model_candidates(roots))
    rows = TrainedModel.objects.order_by("pk")
    places = ((model, artifacts.resolve(model.location)) for model in rows)
    return [
        _model_holding(model, place, usage, reasons.get(model.pk, _NONE), made_before)
        for model, place in places
        if model.freed_at is None or place in usage.models
    ]


def _model_holding(
    model: TrainedModel,
    place: str,
    usage: DiskUsage,
    reasons: frozenset[KeepReason],
    made_before: datetime | None,
) -> Holding:
    """A model that a person registered is theirs, and never freed."""
    is_url = not artifacts.is_folder(place)
    size = usage.models.get(place, 0)
    if not size and not is_url and model.run_id is None:
        size = disk_usage.n_bytes(Path(place))
    return Holding(
        what="model",
        pk=model.pk,
        name=model.name,
        made_at=model.created_at,
        checkpoints=0,
        weights=0 if is_url else size,
        logs=0,
        stored=size if is_url else 0,
        why=_words(reasons),
        is_freeable=model.run_id is not None
        and not reasons
        and size > 0
        and _is_old(model.created_at, made_before),
    )


def _model_candidates(roots: Mapping[int, int]) -> list[Candidate]:
    """Models made by runs whose weights still exist."""
    needed = _needed_models()
    rows = TrainedModel.objects.filter(run__isnull=False, freed_at=None).select_related("run")
    candidates = []
    for model in rows:
        assert model.run is not None
        own = set(needed.get(model.pk, ()))
        own |= {KeepReason.PINNED} if model.pinned_at else set()
        own |= {KeepReason.APPROVED} if model.stage == TrainedModel.Stage.APPROVED else set()
        candidates.append(
            Candidate(
                pk=model.pk,
                group=(model.run.kind, roots[model.pk]),
                made_at=model.created_at,
                measure=retention.measure(model.run.kind, model.metrics),
                needed=frozenset(own),
                is_contender=model.stage != TrainedModel.Stage.RETIRED,
            )
        )
    return candidates


def _needed_models() -> Mapping[int, set[KeepReason]]:
    needed: dict[int, set[KeepReason]] = defaultdict(set)
    for reason, runs in (
        (KeepReason.RUN, Run.objects.exclude(state=Run.State.FINISHED)),
        (KeepReason.RESUME, _resumable()),
    ):
        for row in runs.values_list(*_USES):
            for pk in filter(None, row):
                needed[pk].add(reason)
    for pk in _models_of_schedules():
        needed[pk].add(KeepReason.SCHEDULE)
    under_way = (Publication.State.QUEUED, Publication.State.RUNNING)
    for pk in Publication.objects.filter(state__in=under_way).values_list("model_id", flat=True):
        needed[pk].add(KeepReason.SENT)
    return needed


def _models_of_schedules() -> set[int]:
    """Models that the next chain of a schedule starts from, and those of open chains."""
    ids: set[int] = set()
    newest: dict[tuple[int, str], int] = {}
    left = TrainedModel.objects.filter(run__link__isnull=False).order_by("pk")
    for pk, kind, schedule in left.values_list("pk", "kind", "run__link__chain__schedule_id"):
        newest[schedule, kind] = pk
    ids |= set(newest.values())
    for plan, judge in Schedule.objects.values_list("plan", "judge_id"):
        ids |= _named_in(plan, judge)
    open_chains = Chain.objects.filter(
        state__in=(Chain.State.GOING, Chain.State.APPROVAL, Chain.State.FAILED)
    )
    for plan, base in open_chains.values_list("plan", "base_model_id"):
        ids |= _named_in(plan, base)
    # The next cycle measures its KL to the same model.
    references = Run.objects.filter(link__isnull=False, reference_model__isnull=False)
    ids |= set(references.values_list("reference_model_id", flat=True))
    of_open = TrainedModel.objects.filter(run__link__chain__in=open_chains)
    return ids | set(of_open.values_list("pk", flat=True))


def _named_in(plan: Mapping[str, int | None], also: int | None) -> set[int]:
    """The models that a schedule's plan, or a chain's copy of it, will use."""
    named = (plan.get(role) for role in ("base_model", "reward_base", "reward_model"))
    return {pk for pk in (*named, also) if pk is not None}


def _roots() -> dict[int, int]:
    """Each model's first ancestor."""
    parents = dict(TrainedModel.objects.values_list("pk", "parent_id"))
    roots: dict[int, int] = {}
    for pk in sorted(parents):  # a parent is older than its child
        parent = parents[pk]
        roots[pk] = roots.get(parent, parent) if parent is not None else pk
    return roots


# --- runs -----------------------------------------------------------------------------------------


def _runs(
    usage: DiskUsage, roots: Mapping[int, int], made_before: datetime | None
) -> list[Holding]:
    made = TrainedModel.objects.filter(run__isnull=False).values_list("location", flat=True)
    entered = {artifacts.resolve(location) for location in made}
    rows = list(
        Run.objects.filter(
            pk__in={*usage.runs, *usage.stored_checkpoints, *usage.unregistered} | _with_state()
        ).defer("log_tail")
    )
    reasons = retention.keep_reasons(_run_candidates(rows, roots))
    return [_run_holding(run, usage, entered, reasons[run.pk], made_before) for run in rows]


def _run_holding(
    run: Run,
    disk: DiskUsage,
    entered: Collection[str],
    reasons: frozenset[KeepReason],
    made_before: datetime | None,
) -> Holding:
    usage = disk.runs.get(run.pk, RunUsage())
    unregistered = tuple(
        place for place in disk.unregistered.get(run.pk, ()) if place not in entered
    )
    stored = disk.stored_checkpoints.get(run.pk, 0)
    left = sum(disk.models[place] for place in unregistered)
    has_state = bool(usage.checkpoints or usage.weights or stored or left)
    is_elsewhere = run.kept_step is not None and not has_state
    return Holding(
        what="run",
        pk=run.pk,
        name=run.name,
        made_at=run.created_at,
        checkpoints=usage.checkpoints,
        weights=usage.weights,
        logs=usage.logs,
        stored=stored + left,
        why=_words(reasons),
        is_freeable=not reasons
        and (has_state or is_elsewhere)
        and _is_old(run.finished_at or run.created_at, made_before),
        node=run.node if is_elsewhere else "",
        unregistered=unregistered,
        can_be_given_up=bool(reasons)
        and reasons <= retention.OVERRIDABLE
        and run.outcome in RESUMABLE
        and run.attempt > 0,
    )


def state_of(*, run: Run) -> Holding | None:
    """The state that a run could resume from, with its size; None if this machine sees nothing of
    it.
    """
    return next(
        (holding for holding in overview().holdings if holding.key == f"run-{run.pk}"), None
    )


def why_not_given_up(*, run: Run) -> str:
    """Why a run's checkpoints must not be deleted, as a sentence; "" if they may."""
    if run.state != Run.State.FINISHED:
        return _("The run has not ended. Stop it first.")
    if run.outcome not in RESUMABLE:
        return _("Only checkpoints of failed, lost and stopped runs can be deleted manually.")
    if run.freed_at is not None or not run.attempt:
        return _("The run has no saved state.")
    if run.pinned_at is not None:
        return _("The run is pinned. Unpin it first.")
    if is_extended(run=run):
        return _("A run that extends it is waiting for its state or using it. Stop that run first.")
    if held := _open_links().filter(run=run).select_related("chain__schedule").first():
        return _("The chain “%(chain)s” could continue with it. Stop the chain first.") % {
            "chain": held.chain
        }
    return ""


def _open_links() -> QuerySet[Link]:
    """Links of open chains whose run is in progress or could be resumed."""
    going = (Chain.State.GOING, Chain.State.APPROVAL, Chain.State.FAILED)
    return Link.objects.filter(chain__state__in=going, run__isnull=False).exclude(
        state=Link.State.DONE
    )


def is_extended(*, run: Run) -> bool:
    """Whether an unfinished run continues from its state."""
    return _extended().filter(made_from=run).exists()


def _extended() -> QuerySet[Run]:
    return Run.objects.exclude(state=Run.State.FINISHED).filter(made_as=Run.MadeAs.EXTENSION)


def _run_candidates(rows: Sequence[Run], roots: Mapping[int, int]) -> list[Candidate]:
    needed = {
        KeepReason.RUN: set(_extended().values_list("made_from_id", flat=True)),
        KeepReason.RESUME: set(_resumable().values_list("pk", flat=True)),
        KeepReason.CHAIN: set(_open_links().values_list("run_id", flat=True)),
    }
    candidates = []
    for run in rows:
        own = {
            reason
            for reason, pks in needed.items()
            if run.pk in pks and (reason != KeepReason.RESUME or run.outcome in RESUMABLE)
        }
        own |= {KeepReason.RUN} if run.state != Run.State.FINISHED else set()
        own |= {KeepReason.PINNED} if run.pinned_at else set()
        candidates.append(
            Candidate(
                pk=run.pk,
                group=(run.kind, roots[run.base_model_id]),
                made_at=run.created_at,
                measure=retention.measure(run.kind, run.metrics),
                needed=frozenset(own),
                is_contender=run.kept_step is not None,
            )
        )
    return candidates


def _resumable() -> QuerySet[Run]:
    """Finished runs that somebody may continue: those without a model, unless a retry succeeded,
    and those with a kept state.
    """
    ended = Run.objects.filter(state=Run.State.FINISHED, freed_at=None, is_dry=False)
    superseded = Run.objects.filter(made_from__isnull=False, outcome=Run.Outcome.SUCCEEDED).values(
        "made_from"
    )
    broken = Q(outcome__in=RESUMABLE, trained_model__isnull=True) & ~Q(pk__in=superseded)
    return ended.filter(broken | Q(kept_step__isnull=False))


def _with_state() -> set[int]:
    return set(Run.objects.filter(kept_step__isnull=False).values_list("pk", flat=True))


# --- snapshots ------------------------------------------------------------------------------------


def _snapshots(usage: DiskUsage) -> list[Holding]:
    """Never freeable: they document what runs learned from."""
    return [
        Holding(
            what="snapshot",
            pk=snapshot.pk,
            name=snapshot.name,
            made_at=snapshot.created_at,
            checkpoints=0,
            weights=0,
            logs=usage.snapshots.get(snapshot.folder, 0),
            stored=usage.stored_snapshots.get(snapshot.folder, 0),
            why=(),
            is_freeable=False,
        )
        for snapshot in Snapshot.objects.only("pk", "name", "folder", "created_at")
    ]


def _words(reasons: frozenset[KeepReason]) -> tuple[Promise, ...]:
    return tuple(words for reason, words in retention.WORDS.items() if reason in reasons)


def _is_old(made_at: datetime, made_before: datetime | None) -> bool:
    return made_before is None or made_at < made_before
