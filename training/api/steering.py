"""What a program does with runs and models beside making them: ask what one would cost, extend,
reorder, kill, pin.
"""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency
from accounts.api.problems import Unable
from accounts.api.views import ApiView, person, sent, writes
from training import access, configs, selectors, services
from training.api import serializers
from training.models import Run


class RunEstimate(ApiView):
    @writes(
        "estimate_run",
        serializers.EstimateSerializer,
        body=serializers.RunToEstimateSerializer,
        tag="runs",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """What a run would cost, before it is queued. Nothing is changed."""
        values = sent(serializers.RunToEstimateSerializer, request)
        config, _wrong = configs.parse(
            values["kind"], serializers.NewRunSerializer.config_of(values)
        )
        assert config is not None  # the serializer has refused what is wrong with it
        found = selectors.forecast(
            kind=values["kind"],
            config=config,
            snapshot=values["snapshot"],
            base_model=values["base_model"],
            models=serializers.NewRunSerializer.models_of(values),
            launch=serializers.NewRunSerializer.launch_of(values),
        )
        return Response(
            serializers.EstimateSerializer(serializers.EstimateSerializer.told(found)).data
        )


class RunExtend(ApiView):
    @writes(
        "extend_run",
        serializers.RunSerializer,
        body=serializers.ExtensionSerializer,
        status=201,
        is_one=True,
        tag="runs",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Queue a run that goes on from the last state of an ended one."""
        values = sent(serializers.ExtensionSerializer, request)
        run = access.run(user=person(request), pk=pk)
        try:
            longer = services.extend_run(
                run=run,
                name=values.get("name") or f"{run.name[:180]}, extended",
                amount=values["amount"],
                by=person(request),
                now=timezone.now(),
            )
        except services.UnableToQueue as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.RunSerializer(longer).data, status=201)


class RunMove(ApiView):
    @writes(
        "move_run",
        serializers.RunSerializer,
        body=serializers.MoveSerializer,
        is_one=True,
        tag="runs",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Move a waiting run in line: below 0 forward, above 0 back, as far as the line goes. 409
        when it waits no more.
        """
        values = sent(serializers.MoveSerializer, request)
        run = access.run(user=person(request), pk=pk)
        _refuse_unless_waiting(run.state)
        services.move_run(run=run, places=values["places"], by=person(request), now=timezone.now())
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunPriority(ApiView):
    @writes(
        "set_run_priority",
        serializers.RunSerializer,
        body=serializers.PrioritySerializer,
        is_one=True,
        tag="runs",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Where a waiting run stands in line: the highest goes first. 409 when it waits no more."""
        values = sent(serializers.PrioritySerializer, request)
        run = access.run(user=person(request), pk=pk)
        _refuse_unless_waiting(run.state)
        services.set_priority(
            run=run, priority=values["priority"], by=person(request), now=timezone.now()
        )
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunKill(ApiView):
    @writes("kill_run", serializers.RunSerializer, is_one=True, tag="runs")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """End a run at once; what it did since its last checkpoint is gone. Changes nothing when it
        has ended already.
        """
        services.kill_run(
            run=access.run(user=person(request), pk=pk), by=person(request), now=timezone.now()
        )
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunPin(ApiView):
    @writes("pin_run", serializers.RunSerializer, is_one=True, tag="runs")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Keep its checkpoints whatever comes. Changes nothing when they were freed, or it is
        pinned already.
        """
        services.pin_run(
            run=access.run(user=person(request), pk=pk), by=person(request), now=timezone.now()
        )
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunUnpin(ApiView):
    @writes("unpin_run", serializers.RunSerializer, is_one=True, tag="runs")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Its checkpoints are kept as long as any other run's."""
        services.unpin_run(
            run=access.run(user=person(request), pk=pk), by=person(request), now=timezone.now()
        )
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class RunGiveUp(ApiView):
    @writes("give_up_run", serializers.RunSerializer, is_one=True, tag="runs")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Free the checkpoints of a failed, lost or stopped run, for good. 409 when somebody could
        go on with them.
        """
        try:
            services.give_up_run(
                run=access.run(user=person(request), pk=pk), by=person(request), now=timezone.now()
            )
        except services.UnableToGiveUp as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.RunSerializer(access.run(user=person(request), pk=pk)).data)


class ModelPin(ApiView):
    @writes("pin_model", serializers.ModelSerializer, is_one=True, tag="models")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Keep its weights whatever comes. Changes nothing when they were freed, or it is pinned
        already.
        """
        services.pin_model(
            model=access.model(user=person(request), pk=pk), by=person(request), now=timezone.now()
        )
        return Response(serializers.ModelSerializer(access.model(user=person(request), pk=pk)).data)


class ModelUnpin(ApiView):
    @writes("unpin_model", serializers.ModelSerializer, is_one=True, tag="models")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Its weights are kept as long as any other model's."""
        services.unpin_model(
            model=access.model(user=person(request), pk=pk), by=person(request), now=timezone.now()
        )
        return Response(serializers.ModelSerializer(access.model(user=person(request), pk=pk)).data)


def _refuse_unless_waiting(state: str) -> None:
    if state != Run.State.QUEUED:
        raise Unable(_("The run waits no more."))
