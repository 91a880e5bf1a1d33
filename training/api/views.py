"""Endpoints of the training half: input → one call → answer. Who may is
config.permissions.API_TABLE.
"""

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency, paging
from accounts.api.problems import ProblemSerializer, Unable
from accounts.api.views import ApiView, asked, person, reads, sent, writes
from training import access, exporting, selectors, services, store
from training.api import serializers


class Snapshots(ApiView):
    @reads(
        "list_snapshots",
        paging.page_of(serializers.SnapshotSerializer),
        query=serializers.SnapshotQuery,
        tag="snapshots",
    )
    def get(self, request: Request) -> Response:
        """Snapshots, the newest first."""
        query = asked(serializers.SnapshotQuery, request)
        page = paging.page(
            selectors.snapshots(kind=query.get("kind", "")),
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return Response(page.as_json(serializers.SnapshotSerializer(page.rows, many=True).data))

    @writes(
        "cut_snapshot",
        serializers.SnapshotSerializer,
        body=serializers.NewSnapshotSerializer,
        status=201,
        tag="snapshots",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Cut a snapshot from the judgments, or the prompts, as they are now."""
        values = sent(serializers.NewSnapshotSerializer, request)
        filters = services.Filters.from_json(dict(values.get("filters", {})))
        try:
            snapshot = services.cut_snapshot(
                kind=values["kind"],
                name=values["name"],
                filters=filters,
                by=person(request),
                now=timezone.now(),
            )
        except services.UnableToCut as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.SnapshotSerializer(snapshot).data, status=201)


class SnapshotDetail(ApiView):
    @reads("read_snapshot", serializers.SnapshotSerializer, is_one=True, tag="snapshots")
    def get(self, request: Request, pk: int) -> Response:
        """One snapshot with its card."""
        return Response(
            serializers.SnapshotSerializer(access.snapshot(user=person(request), pk=pk)).data
        )


class Runs(ApiView):
    @reads(
        "list_runs",
        paging.page_of(serializers.RunSerializer),
        query=serializers.RunQuery,
        tag="runs",
    )
    def get(self, request: Request) -> Response:
        """Runs, the newest first."""
        query = asked(serializers.RunQuery, request)
        found = selectors.runs(narrowed=serializers.RunQuery.narrowed(query))
        page = paging.page(found, cursor=query.get("cursor"), limit=query["limit"])
        return Response(page.as_json(serializers.RunSerializer(page.rows, many=True).data))

    @writes(
        "queue_run",
        serializers.RunSerializer,
        body=serializers.NewRunSerializer,
        status=201,
        tag="runs",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Queue a run. The first free worker takes it."""
        values = sent(serializers.NewRunSerializer, request)
        try:
            run = services.queue_run(
                kind=values["kind"],
                name=values["name"],
                config=serializers.NewRunSerializer.config_of(values),
                snapshot=values["snapshot"],
                base_model=values["base_model"],
                models=serializers.NewRunSerializer.models_of(values),
                wish=serializers.NewRunSerializer.wish_of(values),
                by=person(request),
                now=timezone.now(),
            )
        except services.UnableToQueue as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.RunSerializer(run).data, status=201)


class RunDetail(ApiView):
    @reads("read_run", serializers.RunSerializer, is_one=True, tag="runs")
    def get(self, request: Request, pk: int) -> Response:
        """One run: where it is, and why it ended."""
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunPoints(ApiView):
    @reads(
        "read_run_points",
        serializers.PointsSerializer,
        query=serializers.PointsQuery,
        is_one=True,
        tag="runs",
    )
    def get(self, request: Request, pk: int) -> Response:
        """What a run has measured since a step. Ask again with `next_attempt` and `next_since`
        while the run goes on.
        """
        query = asked(serializers.PointsQuery, request)
        run = access.run(user=person(request), pk=pk)
        limit, since, attempt = query["limit"], query["since"], query.get("attempt")
        page = paging.cut(
            selectors.points_since(run=run, step=since, attempt=attempt, n=limit + 1), limit=limit
        )
        last = page.rows[-1] if page.rows else None
        body = {
            "state": run.state,
            "next_attempt": last.attempt if last else attempt or 0,
            "next_since": last.step if last else since,
            "has_more": page.has_more,
            "results": page.rows,
        }
        return Response(serializers.PointsSerializer(body).data)


class RunSamples(ApiView):
    @reads(
        "list_run_samples",
        paging.page_of(serializers.SampleSerializer),
        query=paging.PageQuery,
        is_one=True,
        tag="runs",
    )
    def get(self, request: Request, pk: int) -> Response:
        """What the model wrote while it trained, with scores, the newest first."""
        query = asked(paging.PageQuery, request)
        run = access.run(user=person(request), pk=pk)
        page = paging.page(run.samples.all(), cursor=query.get("cursor"), limit=query["limit"])
        return Response(page.as_json(serializers.SampleSerializer(page.rows, many=True).data))


class RunLog(ApiView):
    @reads(
        "read_run_log",
        serializers.LogSerializer,
        query=serializers.LogQuery,
        is_one=True,
        tag="runs",
    )
    def get(self, request: Request, pk: int) -> Response:
        """The last lines of its log, or those since a line. Ask again with `next_attempt` and
        `next_since` while it goes on.
        """
        query = asked(serializers.LogQuery, request)
        run = access.run(user=person(request), pk=pk)
        log = selectors.log_since(run=run, line=query["since"], attempt=query.get("attempt"))
        body = {
            "state": run.state,
            "next_attempt": log.attempt,
            "next_since": log.next_since,
            "results": log.lines,
            "unfinished": log.unfinished,
        }
        return Response(serializers.LogSerializer(body).data)


class RunStop(ApiView):
    @writes("stop_run", serializers.RunSerializer, is_one=True, tag="runs")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Ask a run to save and end at its next step. Changes nothing when it has ended already."""
        services.request_stop(
            run=access.run(user=person(request), pk=pk), by=person(request), now=timezone.now()
        )
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunRetry(ApiView):
    @writes("retry_run", serializers.RunSerializer, is_one=True, tag="runs")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Put a run that left no model back in the queue. It goes on from its last checkpoint."""
        try:
            services.retry_run(
                run=access.run(user=person(request), pk=pk), by=person(request), now=timezone.now()
            )
        except services.UnableToRetry as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class Models(ApiView):
    @reads(
        "list_models",
        paging.page_of(serializers.ModelSerializer),
        query=serializers.ModelQuery,
        tag="models",
    )
    def get(self, request: Request) -> Response:
        """Models, the newest first."""
        query = asked(serializers.ModelQuery, request)
        page = paging.page(
            selectors.models(kind=query.get("kind", "")),
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return Response(page.as_json(serializers.ModelSerializer(page.rows, many=True).data))

    @writes(
        "register_model",
        serializers.ModelSerializer,
        body=serializers.NewModelSerializer,
        status=201,
        tag="models",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Register a base model."""
        values = sent(serializers.NewModelSerializer, request)
        try:
            model = services.register_model(**values, by=person(request), now=timezone.now())
        except services.UnableToRegister as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.ModelSerializer(model).data, status=201)


class TarRenderer(BaseRenderer):
    """Lets a client ask for a tar. Weights are sent past it; what comes here is a problem, and that
    is always JSON.
    """

    media_type = exporting.CONTENT_TYPE
    format = "tar"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return JSONRenderer().render(data)


class ModelArchive(ApiView):
    renderer_classes = (JSONRenderer, TarRenderer)

    @reads(
        "export_model",
        {(200, exporting.CONTENT_TYPE): OpenApiTypes.BINARY, 409: ProblemSerializer},
        query=serializers.ArchiveQuery,
        is_one=True,
        tag="models",
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """A model as one .tar: weights (safetensors), tokenizer, card (README.md) and lineage.json,
        sent as it is read.
        """
        weights = asked(serializers.ArchiveQuery, request)["weights"]
        try:
            return exporting.archive(
                model=access.model(user=person(request), pk=pk), weights=weights
            ).response()
        except exporting.UnableToExport as problem:
            raise Unable(str(problem)) from problem
        except store.StoreAway as problem:
            raise Unable(
                _("The artifact store does not answer. Try again when it is back.")
            ) from problem


class ModelDetail(ApiView):
    @reads("read_model", serializers.ModelSerializer, is_one=True, tag="models")
    def get(self, request: Request, pk: int) -> Response:
        """One model."""
        return Response(serializers.ModelSerializer(access.model(user=person(request), pk=pk)).data)
