"""Schedules and chains in the REST API, by the same rules as their pages."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, writes
from training import access as training_access
from training.api import schedule_serializers
from training.api.schedule_serializers import ChainSerializer, ScheduleSerializer
from training.models import Chain, Schedule
from training.schedules import chains
from training.schedules import selectors as schedules_selectors
from training.schedules import services as schedules_services
from training.schedules.forms import ScheduleForm
from training.schedules.gate import promotion


@described(
    list_schedules="Schedules, newest first.",
    read_schedule="One schedule: its plan and when it runs next.",
)
class Schedules(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Schedule.objects.all()
    serializer_class = ScheduleSerializer

    def get_object(self) -> Schedule:
        return training_access.schedule(user=self.by, pk=self.kwargs["pk"])

    @writes(
        "create_schedule",
        ScheduleSerializer,
        body=schedule_serializers.NewScheduleSerializer,
        status=201,
    )
    def create(self, *, template: str, **values: Any) -> Schedule:
        """Create a schedule, by the same rules as its page. It starts as its trigger says."""
        form = schedule_serializers.valid_form(
            values, template=template, time_zone=self.by.time_zone
        )
        return schedules_services.create_schedule(**_terms(form), **self.who_and_when)

    @writes(
        "update_schedule",
        ScheduleSerializer,
        body=schedule_serializers.ScheduleChangeSerializer,
        is_one=True,
    )
    def partial_update(self, schedule: Schedule, **values: Any) -> None:
        """Change it. Omitted fields keep their value, and chains that have started do
        not change.
        """
        _change(schedule, values, **self.who_and_when)

    @does("change_schedule", ScheduleSerializer, body=schedule_serializers.ScheduleChangeSerializer)
    def change(self, schedule: Schedule, **values: Any) -> None:
        """The same as the PATCH."""
        _change(schedule, values, **self.who_and_when)

    @does("pause_schedule", ScheduleSerializer)
    def pause(self, schedule: Schedule) -> None:
        """Nothing fires automatically until it is resumed. Changes nothing if it is
        already paused.
        """
        schedules_services.pause_schedule(schedule=schedule, **self.who_and_when)

    @does("resume_schedule", ScheduleSerializer)
    def resume(self, schedule: Schedule) -> None:
        """Resume the schedule. It next runs at its next time; missed times are skipped."""
        schedules_services.resume_schedule(schedule=schedule, **self.who_and_when)

    @does("fire_schedule", ScheduleSerializer)
    def fire(self, schedule: Schedule) -> None:
        """Start a chain now, unless one is open."""
        schedules_services.fire_now(schedule=schedule, **self.who_and_when)


@described(
    list_chains="Chains, newest first, with the steps of each.",
    read_chain="One chain: its progress and what each step produced.",
)
class Chains(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Chain.objects.all()
    serializer_class = ChainSerializer
    query_class = schedule_serializers.ChainQuery

    def filter_queryset(self, queryset: Any) -> Any:
        return schedules_selectors.chains_with_links(
            schedule_id=self.asked.get("schedule"), state=self.asked.get("state", "")
        )

    def get_object(self) -> Chain:
        chain = training_access.chain(user=self.by, pk=self.kwargs["pk"])
        return schedules_selectors.chains_with_links().get(pk=chain.pk)

    @does("approve_chain", ChainSerializer)
    def approve(self, chain: Chain) -> None:
        """Approve the pending step. 409 if no step is pending."""
        if not chains.approve_link(chain=chain, **self.who_and_when):
            raise Unable(_("No step is waiting for approval."))

    @does("decide_chain", ChainSerializer, body=schedule_serializers.ChainDecisionSerializer)
    def decide(self, chain: Chain, *, promotes: bool) -> None:
        """Decide whether the new model becomes the schedule's current model. 409 if no gate is
        open.
        """
        if not promotion.decide(chain=chain, promotes=promotes, **self.who_and_when):
            raise Unable(_("No model is waiting for a decision."))

    @does("resume_chain", ChainSerializer, body=schedule_serializers.ChainResumptionSerializer)
    def resume(self, chain: Chain, *, anew: bool) -> None:
        """Resume at the failed step; results of earlier steps are kept."""
        chains.resume_chain(chain=chain, anew=anew, **self.who_and_when)

    @does("stop_chain", ChainSerializer)
    def stop(self, chain: Chain) -> None:
        """End a chain for good; its current run saves and stops. Changes nothing if it has already
        ended.
        """
        chains.stop_chain(chain=chain, **self.who_and_when)


def _terms(form: ScheduleForm) -> dict[str, Any]:
    return {"name": form.cleaned_data["name"], "plan": form.plan(), "terms": form.terms()}


def _change(schedule: Schedule, values: dict[str, Any], **who_and_when: Any) -> None:
    form = schedule_serializers.valid_form(
        values, template=schedule.plan["template"], schedule=schedule
    )
    schedules_services.change_schedule(schedule=schedule, **_terms(form), **who_and_when)
