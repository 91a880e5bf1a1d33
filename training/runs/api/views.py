"""Runs in the REST API. Permissions are in config.api_permissions.API_TABLE."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, reads, writes
from training import access as training_access
from training.benchmarks.suites import services as suites_services
from training.configs import kinds
from training.models import Run
from training.results import points as results_points
from training.runs import run_queue
from training.runs import selectors as runs_selectors
from training.runs import services as runs_services
from training.runs.api import progress, run_data, serializers
from training.runs.api.serializers import NewRunSerializer, RunSerializer
from training.runs.estimates import costs
from training.storage import services as storage_services


@described(list_runs="Runs, newest first.", read_run="One run: its state, progress and outcome.")
class Runs(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Run.objects.all()
    serializer_class = RunSerializer
    query_class = serializers.RunQuery

    def filter_queryset(self, queryset: object) -> QuerySet[Run, Any]:
        return runs_selectors.runs(narrowed=serializers.RunQuery.narrowed(self.asked))

    def get_object(self) -> Run:
        return training_access.run(user=self.by, pk=self.kwargs["pk"])

    @writes("queue_run", RunSerializer, body=NewRunSerializer, status=201)
    def create(self, **values: Any) -> Run:
        """Queue a run. The first free worker takes it."""
        return run_queue.queue_run(
            kind=values["kind"],
            name=values["name"],
            config=NewRunSerializer.config_of(values),
            snapshot=values.get("snapshot")
            or suites_services.suites_snapshot(suites=values["suites"], **self.who_and_when),
            base_model=values["base_model"],
            models=NewRunSerializer.models_of(values),
            ptx_snapshot=values.get("ptx_snapshot"),
            raters=run_queue.Raters.of(values.get("spot_pool"), values.get("spot_guideline")),
            options=NewRunSerializer.options_of(values),
            **self.who_and_when,
        )

    @does(
        "estimate_run",
        serializers.EstimateSerializer,
        body=serializers.RunToEstimateSerializer,
        is_one=False,
    )
    def estimate(self, **values: Any) -> dict[str, object]:
        """Estimate what a run would cost, without queuing it."""
        config, _wrong = kinds.parse(values["kind"], NewRunSerializer.config_of(values))
        assert config is not None  # the serializer has refused what is wrong with it
        forecast = costs.forecast(
            kind=values["kind"],
            config=config,
            snapshot=run_data.outline(values),
            base_model=values["base_model"],
            models=NewRunSerializer.models_of(values),
            launch=NewRunSerializer.launch_of(values),
            n_gpus=values["n_gpus"],
            memory_gb=values["memory_gb"],
            now=self.who_and_when["now"],
        )
        return serializers.EstimateSerializer.from_forecast(forecast)

    # --- reading ----------------------------------------------------------------------------------

    @reads("read_run_points", progress.PointsSerializer, query=progress.PointsQuery)
    def points(self, request: Request, pk: int) -> Response:
        """Points measured since a step. Poll with `next_attempt` and `next_since` while the run is
        in progress.
        """
        limit, since = self.asked["limit"], self.asked["since"]
        run, attempt = self.get_object(), self.asked.get("attempt")
        page = paging.cut(
            results_points.points_since(run=run, step=since, attempt=attempt, n=limit + 1),
            limit=limit,
        )
        last = page.rows[-1] if page.rows else None
        body = {
            "state": run.state,
            "next_attempt": last.attempt if last else attempt or 0,
            "next_since": last.step if last else since,
            "has_more": page.has_more,
            "results": page.rows,
        }
        return Response(progress.PointsSerializer(body).data)

    @reads(
        "list_run_samples",
        paging.page_of(progress.SampleSerializer),
        query=paging.PageQuery,
        serializer_class=progress.SampleSerializer,
    )
    def samples(self, request: Request, pk: int) -> Response:
        """Responses sampled during training, with scores, newest first."""
        return self.page(runs_selectors.visible_samples(runs=[self.get_object()]))

    @reads("read_run_log", progress.LogSerializer, query=progress.LogQuery)
    def log(self, request: Request, pk: int) -> Response:
        """The last lines of its log, or those since a line. Poll with `next_attempt` and
        `next_since` while the run is in progress.
        """
        line, attempt = self.asked["since"], self.asked.get("attempt")
        run = self.get_object()
        log = results_points.log_since(run=run, line=line, attempt=attempt)
        body = {
            "state": run.state,
            "next_attempt": log.attempt,
            "next_since": log.next_since,
            "results": log.lines,
            "unfinished": log.unfinished,
        }
        return Response(progress.LogSerializer(body).data)

    # --- changing ---------------------------------------------------------------------------------

    @writes("change_run", RunSerializer, body=serializers.RunChangeSerializer, is_one=True)
    def partial_update(self, run: Run, **values: Any) -> None:
        """Change its name, tags or remarks. Its settings cannot change."""
        runs_services.describe_run(run=run, **values, **self.who_and_when)

    @does("stop_run", RunSerializer)
    def stop(self, run: Run) -> None:
        """Ask a run to save and stop at its next step. Changes nothing if it has already ended."""
        runs_services.request_stop(run=run, **self.who_and_when)

    @does("kill_run", RunSerializer)
    def kill(self, run: Run) -> None:
        """Stop a run at once and discard what it did since its last checkpoint. Changes nothing if
        it has already ended.
        """
        runs_services.kill_run(run=run, **self.who_and_when)

    @does("retry_run", RunSerializer)
    def retry(self, run: Run) -> None:
        """Requeue a failed, lost or stopped run. It resumes from its last checkpoint and replaces
        the model that it has left. 409 if that model is already in use. A benchmark or an attack
        whose server left something unanswered asks only that, and is scored again.
        """
        runs_services.retry_run(run=run, **self.who_and_when)

    @does("extend_run", RunSerializer, body=serializers.ExtensionSerializer, status=201)
    def extend(self, run: Run, *, amount: int, name: str = "") -> Run:
        """Queue a run that continues from the final state of a finished one."""
        name = name or f"{run.name[:180]}, extended"
        return run_queue.extend_run(run=run, name=name, amount=amount, **self.who_and_when)

    @does("move_run", RunSerializer, body=serializers.MoveSerializer)
    def move(self, run: Run, *, places: int) -> None:
        """Move a queued run by `places`: negative is towards the front. 409 if it is no longer
        queued.
        """
        _refuse_unless_waiting(run)
        run_queue.move_run(run=run, places=places, **self.who_and_when)

    @does("set_run_priority", RunSerializer, body=serializers.PrioritySerializer)
    def priority(self, run: Run, *, priority: int) -> None:
        """Set a queued run's priority; the highest runs first. 409 if it is no longer queued."""
        _refuse_unless_waiting(run)
        run_queue.set_priority(run=run, priority=priority, **self.who_and_when)

    @does("pin_run", RunSerializer)
    def pin(self, run: Run) -> None:
        """Keep its checkpoints until it is unpinned. Changes nothing if they were freed or it is
        already pinned.
        """
        storage_services.pin_run(run=run, **self.who_and_when)

    @does("unpin_run", RunSerializer)
    def unpin(self, run: Run) -> None:
        """Let its checkpoints be freed by the usual rules again."""
        storage_services.unpin_run(run=run, **self.who_and_when)

    @does("give_up_run", RunSerializer, url_path="give-up")
    def give_up(self, run: Run) -> None:
        """Delete the checkpoints of a failed, lost or stopped run for good. 409 if they are still
        needed.
        """
        storage_services.give_up_run(run=run, **self.who_and_when)


def _refuse_unless_waiting(run: Run) -> None:
    if run.state != Run.State.QUEUED:
        raise Unable(_("The run is no longer queued."))
