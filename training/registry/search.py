"""Search results for training: one query per kind, limited by accounts.shell.search.best."""

from django.utils.translation import gettext_lazy as _

from accounts.shell.search import Finder, SearchQuery, SearchResult, best
from training.models import Node, Run, Schedule, Snapshot, TrainedModel


def runs(query: SearchQuery) -> list[SearchResult]:
    rows = Run.objects.only("name", "kind", "state", "outcome")
    return [
        SearchResult(
            run.pk,
            run.name,
            f"{run.kind_label} · {run.get_outcome_display() or run.get_state_display()}",
        )
        for run in best(rows, query=query)
    ]


def models(query: SearchQuery) -> list[SearchResult]:
    rows = TrainedModel.objects.only("name", "kind", "stage")
    return [
        SearchResult(
            model.pk, model.name, f"{model.get_kind_display()} · {model.get_stage_display()}"
        )
        for model in best(rows, query=query)
    ]


def snapshots(query: SearchQuery) -> list[SearchResult]:
    rows = Snapshot.objects.only("name", "kind")
    return [
        SearchResult(snapshot.pk, snapshot.name, str(snapshot.get_kind_display()))
        for snapshot in best(rows, query=query)
    ]


def schedules(query: SearchQuery) -> list[SearchResult]:
    rows = Schedule.objects.only("name", "trigger")
    return [
        SearchResult(schedule.pk, schedule.name, str(schedule.get_trigger_display()))
        for schedule in best(rows, query=query)
    ]


def nodes(query: SearchQuery) -> list[SearchResult]:
    """By name only: all nodes are on one page, and none shows an id."""
    return [
        SearchResult(None, node.name)
        for node in best(Node.objects.only("name"), query=SearchQuery(query.words))
    ]


FINDERS = (
    Finder(_("Runs"), _("Run"), "run", runs, list_page="runs", list_parameter="words"),
    Finder(_("Models"), _("Model"), "model", models),
    Finder(_("Snapshots"), _("Snapshot"), "snapshot", snapshots),
    Finder(_("Schedules"), _("Schedule"), "schedule", schedules),
    Finder(_("Nodes"), _("Node"), "nodes", nodes),
)
