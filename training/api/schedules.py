"""Schedules and their chains over HTTP: set up by the rules of their page, read, and a person's say
in them.
"""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency, paging
from accounts.api.problems import Unable
from accounts.api.views import ApiView, asked, person, reads, sent, writes
from training import access, selectors, services
from training.api import schedule_serializers as serializers
from training.models import Schedule


class Schedules(ApiView):
    @reads(
        "list_schedules",
        paging.page_of(serializers.ScheduleSerializer),
        query=paging.PageQuery,
        tag="schedules",
    )
    def get(self, request: Request) -> Response:
        """Schedules, the newest first."""
        query = asked(paging.PageQuery, request)
        page = paging.page(Schedule.objects.all(), cursor=query.get("cursor"), limit=query["limit"])
        return Response(page.as_json(serializers.ScheduleSerializer(page.rows, many=True).data))

    @writes(
        "create_schedule",
        serializers.ScheduleSerializer,
        body=serializers.NewScheduleSerializer,
        status=201,
        tag="schedules",
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Set one up, by the rules of its page. It begins as its trigger says."""
        values, by = sent(serializers.NewScheduleSerializer, request), person(request)
        form = serializers.filled_in(values, template=values["template"], time_zone=by.time_zone)
        try:
            schedule = services.create_schedule(
                name=form.cleaned_data["name"],
                plan=form.plan(),
                terms=form.terms(),
                by=by,
                now=timezone.now(),
            )
        except services.UnableToSchedule as problem:
            raise Unable(str(problem)) from problem
        return Response(serializers.ScheduleSerializer(schedule).data, status=201)


class ScheduleDetail(ApiView):
    @reads("read_schedule", serializers.ScheduleSerializer, is_one=True, tag="schedules")
    def get(self, request: Request, pk: int) -> Response:
        """One schedule: its plan, and when it fires next."""
        return Response(
            serializers.ScheduleSerializer(access.schedule(user=person(request), pk=pk)).data
        )


class ScheduleChange(ApiView):
    @writes(
        "change_schedule",
        serializers.ScheduleSerializer,
        body=serializers.ScheduleChangeSerializer,
        is_one=True,
        tag="schedules",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Change it. What is left out stays, and chains that have begun go on as they were."""
        values = sent(serializers.ScheduleChangeSerializer, request)
        schedule = access.schedule(user=person(request), pk=pk)
        form = serializers.filled_in(values, template=schedule.plan["template"], schedule=schedule)
        try:
            services.change_schedule(
                schedule=schedule,
                name=form.cleaned_data["name"],
                plan=form.plan(),
                terms=form.terms(),
                by=person(request),
                now=timezone.now(),
            )
        except services.UnableToSchedule as problem:
            raise Unable(str(problem)) from problem
        return Response(
            serializers.ScheduleSerializer(access.schedule(user=person(request), pk=pk)).data
        )


class SchedulePause(ApiView):
    @writes("pause_schedule", serializers.ScheduleSerializer, is_one=True, tag="schedules")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Nothing fires by itself until it is resumed. Changes nothing when it is paused
        already.
        """
        services.pause_schedule(
            schedule=access.schedule(user=person(request), pk=pk),
            by=person(request),
            now=timezone.now(),
        )
        return Response(
            serializers.ScheduleSerializer(access.schedule(user=person(request), pk=pk)).data
        )


class ScheduleResume(ApiView):
    @writes("resume_schedule", serializers.ScheduleSerializer, is_one=True, tag="schedules")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Fires next when its next time comes: what fell into the pause is not made up for."""
        services.resume_schedule(
            schedule=access.schedule(user=person(request), pk=pk),
            by=person(request),
            now=timezone.now(),
        )
        return Response(
            serializers.ScheduleSerializer(access.schedule(user=person(request), pk=pk)).data
        )


class ScheduleFire(ApiView):
    @writes("fire_schedule", serializers.ScheduleSerializer, is_one=True, tag="schedules")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Begin its chain of runs now, unless one goes on."""
        schedule = access.schedule(user=person(request), pk=pk)
        try:
            services.fire_now(schedule=schedule, by=person(request), now=timezone.now())
        except services.UnableToFire as problem:
            raise Unable(str(problem)) from problem
        return Response(
            serializers.ScheduleSerializer(access.schedule(user=person(request), pk=pk)).data
        )


class Chains(ApiView):
    @reads(
        "list_chains",
        paging.page_of(serializers.ChainSerializer),
        query=serializers.ChainQuery,
        tag="chains",
    )
    def get(self, request: Request) -> Response:
        """Chains, the newest first, with the steps of each."""
        query = asked(serializers.ChainQuery, request)
        found = selectors.chains_with_links(
            schedule_id=query.get("schedule"), state=query.get("state", "")
        )
        page = paging.page(found, cursor=query.get("cursor"), limit=query["limit"])
        return Response(page.as_json(serializers.ChainSerializer(page.rows, many=True).data))


class ChainDetail(ApiView):
    @reads("read_chain", serializers.ChainSerializer, is_one=True, tag="chains")
    def get(self, request: Request, pk: int) -> Response:
        """One chain: how far it is, and what each step has left."""
        return _told(request, pk)


class ChainApprove(ApiView):
    @writes("approve_chain", serializers.ChainSerializer, is_one=True, tag="chains")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Let the step that waits for a person begin. 409 when none waits."""
        chain = access.chain(user=person(request), pk=pk)
        if not services.approve_link(chain=chain, by=person(request), now=timezone.now()):
            raise Unable(_("No step waits for an approval any more."))
        return _told(request, pk)


class ChainResume(ApiView):
    @writes(
        "resume_chain",
        serializers.ChainSerializer,
        body=serializers.ChainResumptionSerializer,
        is_one=True,
        tag="chains",
    )
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """Go on at the step that failed; what came before is kept."""
        anew = sent(serializers.ChainResumptionSerializer, request)["anew"]
        chain = access.chain(user=person(request), pk=pk)
        try:
            services.resume_chain(chain=chain, by=person(request), now=timezone.now(), anew=anew)
        except services.UnableToResume as problem:
            raise Unable(str(problem)) from problem
        return _told(request, pk)


class ChainStop(ApiView):
    @writes("stop_chain", serializers.ChainSerializer, is_one=True, tag="chains")
    @idempotency.once
    def post(self, request: Request, pk: int) -> Response:
        """End a chain for good, also in place of an approval; its run saves and stops. Changes
        nothing when it has ended.
        """
        chain = access.chain(user=person(request), pk=pk)
        services.stop_chain(chain=chain, by=person(request), now=timezone.now())
        return _told(request, pk)


def _told(request: Request, pk: int) -> Response:
    chain = access.chain(user=person(request), pk=pk)
    return Response(
        serializers.ChainSerializer(selectors.chains_with_links().get(pk=chain.pk)).data
    )
