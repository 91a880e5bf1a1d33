"""A model's lineage as a drawing: what it was made from, run by run, and what was made from it:
responses, judgments, data and models.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.models import Judgment, Prompt, Response
from training.configs import kinds
from training.configs.knobs import RESPONSES
from training.models import Run, Snapshot, SnapshotJudgment, TrainedModel
from training.registry.selectors import LineageStep, lineage
from training.snapshots.response_numbers import numbers_of
from training.snapshots.selectors import best_response_runs, snapshots_of_best_responses

N_SHOWN = 5
"""Nodes shown per column; the rest is only counted."""


@dataclass(frozen=True)
class OriginNode:
    """A node with a link."""

    label: str
    url: str = ""
    detail: str = ""
    is_here: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a row: its nodes, and how many more there are."""

    title: str
    nodes: list[OriginNode]
    n_more: int = 0


@dataclass(frozen=True)
class Drawing:
    """`before`: one row per run of the lineage, base first. `after`: what was made from the model,
    left to right.
    """

    before: list[list[Column]]
    after: list[Column] = field(default_factory=list)


def draw(*, model: TrainedModel, is_admin: bool) -> Drawing:
    """An admin's links lead to the pages that manage campaigns and prompts, a researcher's to
    read-only pages.
    """
    before = [_row(step, model, is_admin) for step in reversed(lineage(model=model))]
    return Drawing(before, _after(model, is_admin))


def responses_of(*, model: TrainedModel, run: Run | None = None) -> QuerySet[Response]:
    """Responses by this model, or only those of one of its sampling runs; newest first, annotated
    with how often each was compared.
    """
    if not model.source_id:
        return Response.objects.none()
    responses = Response.objects.filter(source=model.source_id)
    if run is not None:
        numbers = numbers_of(run.pk)
        responses = responses.filter(number__gte=numbers.start, number__lt=numbers.stop)
    by_people = Judgment.versions_of_people.condition("ranked__comparison__judgment__")
    counted = responses.annotate(n_judged=Count("ranked", filter=by_people))
    return counted.select_related("prompt").order_by("-pk")


def _row(step: LineageStep, here: TrainedModel, is_admin: bool) -> list[Column]:
    model = _model_node(step.model, is_here=step.model.pk == here.pk)
    if step.run is None or step.snapshot is None:
        return [
            Column(
                _("Base model") if step.model.parent is None else _("On another server"), [model]
            )
        ]
    run, snapshot = step.run, step.snapshot
    beside = [
        _model_node(entry, detail=_("scores responses"))
        for entry in (run.reward_model,)
        if entry is not None
    ]
    return [
        _origin(snapshot, is_admin),
        Column(
            _("Data"), [_snapshot_node(entry) for entry in (snapshot, run.ptx_snapshot) if entry]
        ),
        Column(_("Run"), [_run_node(run, run.kind_label), *beside]),
        Column(_("Model"), [model]),
    ]


def _origin(snapshot: Snapshot, is_admin: bool) -> Column:
    """The campaigns behind a snapshot, or the sampling runs and reward models behind its best
    responses.
    """
    runs = best_response_runs(snapshot=snapshot)
    if not runs:
        return Column(_("Submitted answers"), _judgment_nodes(snapshot, is_admin))
    shown = runs[-N_SHOWN:][::-1]
    sampled = [_run_node(run, _("by %(model)s") % {"model": run.base_model}) for run in shown]
    judges = dict.fromkeys(run.reward_model for run in shown if run.reward_model is not None)
    chose = [_model_node(judge, detail=_("selected them")) for judge in judges]
    return Column(_("Best responses"), [*sampled, *chose], len(runs) - len(shown))


def _judgment_nodes(snapshot: Snapshot, is_admin: bool) -> list[OriginNode]:
    """The campaigns whose raters are behind a snapshot; a snapshot of prompts has none."""
    of_people = Judgment.versions_of_people.condition("judgment__")
    counted = (
        SnapshotJudgment.objects.filter(of_people, snapshot=snapshot)
        .values("judgment__campaign", "judgment__campaign__name")
        .annotate(n=Count("pk"))
        .order_by("-n")
    )
    nodes = [
        OriginNode(
            row["judgment__campaign__name"] or _("imported or saved"),
            _campaign_url(row["judgment__campaign"], is_admin)
            or reverse("snapshot_rows", args=[snapshot.pk]),
            _n_judgments(row["n"]),
        )
        for row in counted[:N_SHOWN]
    ]
    return nodes or [
        OriginNode(_("none: prompts or text only"), reverse("snapshot_rows", args=[snapshot.pk]))
    ]


def _after(model: TrainedModel, is_admin: bool) -> list[Column]:
    """Empty if nothing was sampled from it, selected by it or trained from it."""
    begun = Run.objects.filter(base_model=model) | Run.objects.filter(reward_model=model)
    sampled = (
        begun.filter(kind__in=kinds.kinds_leaving(RESPONSES))
        .select_related("snapshot")
        .order_by("-pk")
    )
    judged = Judgment.of_everyone.filter(comparison__ranked__response__source=model.source_id or 0)
    holding = SnapshotJudgment.objects.filter(judgment__in=judged).values("snapshot").distinct()
    best = snapshots_of_best_responses(runs=sampled.values_list("pk", flat=True))
    # Read once: as a part of the next queries, it would run again in each.
    snapshots = list(Snapshot.objects.filter(Q(pk__in=holding) | Q(pk__in=best)).order_by("-pk"))
    learned = Run.objects.filter(snapshot__in=snapshots).order_by("-pk")
    children = TrainedModel.objects.filter(Q(run__in=learned) | Q(run__in=begun) | Q(parent=model))
    columns = [
        *_responses(model, sampled, is_admin),
        _column(
            _("Submitted answers"),
            _campaign_nodes(judged, reverse("model_responses", args=[model.pk]), is_admin),
        ),
        _column(_("Data"), [_snapshot_node(snapshot) for snapshot in snapshots[: 4 * N_SHOWN]]),
        _column(_("Runs"), [_run_node(run) for run in learned[: 4 * N_SHOWN]]),
        _column(
            _("Models"),
            [_model_node(child) for child in children.distinct().order_by("-pk")[: 4 * N_SHOWN]],
        ),
    ]
    return [column for column in columns if column.nodes]


def _responses(model: TrainedModel, sampled: QuerySet[Run], is_admin: bool) -> list[Column]:
    """The prompts it answered or selected for, those sampling runs, and its own responses."""
    responses = Response.objects.filter(source=model.source_id or 0)
    n, written = responses.count(), reverse("model_responses", args=[model.pk])
    origins = [OriginNode(ngettext("%(n)s response", "%(n)s responses", n) % {"n": n}, written)]
    return [
        _column(
            _("Prompts"),
            _prompt_nodes(sampled, responses, written, is_admin) if n or sampled else [],
        ),
        _column(_("Sampling"), [_run_node(run) for run in sampled]),
        Column(_("Responses"), origins if n else []),
    ]


def _prompt_nodes(
    sampled: Iterable[Run], responses: QuerySet[Response], written: str, is_admin: bool
) -> list[OriginNode]:
    """The sampled snapshots; for a model used in the playground or imported, its prompts."""
    snapshots = {run.snapshot_id: run.snapshot for run in sampled}
    if snapshots:
        return [_snapshot_node(snapshot) for snapshot in snapshots.values()]
    n = Prompt.objects.filter(pk__in=responses.values("prompt")).count()
    return [
        OriginNode(
            ngettext("%(n)s prompt", "%(n)s prompts", n) % {"n": n},
            reverse("prompts") if is_admin else written,
        )
    ]


def _campaign_nodes(judged: QuerySet[Judgment], written: str, is_admin: bool) -> list[OriginNode]:
    by_campaign = judged.order_by().values(of=F("campaign"), called=F("campaign__name"))
    counted = by_campaign.annotate(n=Count("pk", distinct=True)).order_by("-n")
    return [
        OriginNode(
            row["called"] or _("imported"),
            _campaign_url(row["of"], is_admin) or written,
            _n_judgments(row["n"]),
        )
        for row in counted[: 4 * N_SHOWN]
    ]


def _campaign_url(pk: int | None, is_admin: bool) -> str:
    """ "" for judgments without a campaign."""
    return (
        reverse("campaign" if is_admin else "lineage_campaign", args=[pk]) if pk is not None else ""
    )


def _n_judgments(n: int) -> str:
    return ngettext("%(n)s answer", "%(n)s answers", n) % {"n": n}


def _snapshot_node(snapshot: Snapshot) -> OriginNode:
    words = {"n": snapshot.n_rows, "kind": snapshot.get_kind_display()}
    return OriginNode(
        snapshot.name, reverse("snapshot", args=[snapshot.pk]), _("%(n)s %(kind)s") % words
    )


def _run_node(run: Run, detail: str = "") -> OriginNode:
    return OriginNode(run.name, reverse("run", args=[run.pk]), detail)


def _model_node(model: TrainedModel, *, detail: str = "", is_here: bool = False) -> OriginNode:
    return OriginNode(
        model.name, reverse("model", args=[model.pk]), detail or model.licence, is_here
    )


def _column(title: str, nodes: list[OriginNode]) -> Column:
    return Column(title, nodes[:N_SHOWN], max(0, len(nodes) - N_SHOWN))
