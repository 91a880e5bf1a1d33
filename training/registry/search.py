"""Search results for training: one query per kind, limited by accounts.search.search.best."""

from django.utils.translation import gettext_lazy as _

from accounts.search.search import Finder, Found, Wanted, best
from training.models import Node, Run, Schedule, Snapshot, TrainedModel


def runs(wanted: Wanted) -> list[Found]:
    rows = Run.objects.only("name", "kind", "state", "outcome")
    return [
        Found(
            run.pk,
            run.name,
            f"{run.kind_label} · {run.get_outcome_display() or run.get_state_display()}",
        )
        for run in best(rows, wanted=wanted)
    ]


def models(wanted: Wanted) -> list[Found]:
    rows = TrainedModel.objects.only("name", "kind", "stage")
    return [
        Found(model.pk, model.name, f"{model.get_kind_display()} · {model.get_stage_display()}")
        for model in best(rows, wanted=wanted)
    ]


def snapshots(wanted: Wanted) -> list[Found]:
    rows = Snapshot.objects.only("name", "kind")
    return [
        Found(snapshot.pk, snapshot.name, str(snapshot.get_kind_display()))
        for snapshot in best(rows, wanted=wanted)
    ]


def schedules(wanted: Wanted) -> list[Found]:
    rows = Schedule.objects.only("name", "trigger")
    return [
        Found(schedule.pk, schedule.name, str(schedule.get_trigger_display()))
        for schedule in best(rows, wanted=wanted)
    ]


def nodes(wanted: Wanted) -> list[Found]:
    """By name only: all nodes are on one page, and none shows an id."""
    return [
        Found(None, node.name)
        for node in best(Node.objects.only("name"), wanted=Wanted(wanted.words))
    ]


FINDERS = (
    Finder(_("Runs"), _("Run"), "run", runs, list_page="runs", list_parameter="words"),
    Finder(_("Models"), _("Model"), "model", models),
    Finder(_("Snapshots"), _("Snapshot"), "snapshot", snapshots),
    Finder(_("Schedules"), _("Schedule"), "schedule", schedules),
    Finder(_("Nodes"), _("Node"), "nodes", nodes),
)
