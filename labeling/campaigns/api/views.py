"""Campaigns in the REST API: create, change and control them, and follow their items."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.fields import OneOf
from accounts.api.paging import PageQuery
from accounts.api.problems import Unable
from accounts.api.views import ApiViewSet, described, does, reads, removes, writes
from knobs.fields import knobs_of
from labeling import access as labeling_access
from labeling.campaigns import board, selection, services
from labeling.campaigns.api import bodies
from labeling.campaigns.forms import ItemFilterForm
from labeling.kinds import registry
from labeling.kinds.conversation import TalkSettings
from labeling.models import Campaign, Pass, Rater, RaterStanding
from labeling.queue.gold import scores
from labeling.queue.gold import services as gold_services


class ProgressSerializer(serializers.Serializer[object]):
    n_slots = serializers.IntegerField(help_text="Number of answers requested.")
    n_submitted = serializers.IntegerField()
    n_in_hand = serializers.IntegerField(help_text="In progress: reserved by a rater now.")
    n_left = serializers.IntegerField()
    n_extra = serializers.IntegerField(
        help_text="Submitted late, after the item was already complete."
    )
    is_done = serializers.BooleanField()


class CampaignSettingsSerializer(serializers.Serializer[object]):
    """The settings of a campaign. What only the other kind of campaign has keeps its default."""

    def get_fields(self) -> dict[str, Any]:
        return {
            knob.name: bodies.shown_field(knob)
            for knob in registry.knobs()
            if knob.name not in bodies.TOP_LEVEL
        }


class ShareSerializer(serializers.Serializer[object]):
    source = serializers.IntegerField(source="source_id")  # type: ignore[assignment]  # shadows Field.source
    weight = serializers.FloatField()
    temperature = serializers.FloatField()


class PlanSerializer(serializers.Serializer[object]):
    """What a conversation campaign asks for."""

    models = ShareSerializer(source="sources.all", many=True)

    def get_fields(self) -> dict[str, Any]:
        settings = {knob.name: bodies.shown_field(knob) for knob in knobs_of(TalkSettings)}
        return super().get_fields() | settings


class CampaignSerializer(serializers.Serializer[object]):
    """Serializes a CampaignRow."""

    id = serializers.IntegerField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    kind = serializers.ChoiceField(source="campaign.kind", choices=Campaign.Kind.choices)
    state = serializers.ChoiceField(source="campaign.state", choices=Campaign.State.choices)
    pool = serializers.IntegerField(source="campaign.pool_id")
    guideline = serializers.IntegerField(source="campaign.guideline_id")
    overlap = serializers.IntegerField(
        source="campaign.overlap", help_text="Number of answers per item."
    )
    n_responses = serializers.IntegerField(source="campaign.n_responses", allow_null=True)
    asks_dialogue = serializers.BooleanField(
        source="campaign.asks_dialogue",
        help_text="Raters can continue a demonstration as a dialogue.",
    )
    lease_minutes = serializers.IntegerField(source="campaign.lease_minutes")
    order = serializers.ChoiceField(source="campaign.order", choices=Campaign.Order.choices)
    priority = serializers.IntegerField(source="campaign.priority")
    settings = CampaignSettingsSerializer(source="campaign")
    conversation = PlanSerializer(
        source="campaign.conversation_plan",
        default=None,
        allow_null=True,
        help_text="Of a conversation campaign; null for others.",
    )
    created_at = serializers.DateTimeField(source="campaign.created_at")
    opened_at = serializers.DateTimeField(source="campaign.opened_at", allow_null=True)
    closed_at = serializers.DateTimeField(source="campaign.closed_at", allow_null=True)
    progress = ProgressSerializer()
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="When the newest judgment was submitted."
    )


class CampaignQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=Campaign.State.choices)


class MatchingSerializer(serializers.Serializer[object]):
    n_matching = serializers.IntegerField(help_text="Prompts that match the selection.")
    n_fitting = serializers.IntegerField(
        help_text="Of those, prompts with enough responses; all of them for demonstrations."
    )
    n_taken = serializers.IntegerField(help_text="What a campaign would use of them.")


class CampaignItemSerializer(serializers.Serializer[object]):
    """A prompt of the campaign and how far it is. Gold items are not listed."""

    id = serializers.IntegerField(source="item.pk")
    position = serializers.IntegerField(source="item.position")
    prompt = serializers.IntegerField(source="item.prompt_id")
    responses = serializers.SerializerMethodField(help_text="IDs of the responses to compare.")
    is_calibration = serializers.BooleanField(
        source="item.is_calibration", help_text="Every rater in the pool answers it."
    )
    repeat_of = serializers.IntegerField(
        source="item.repeat_of_id", allow_null=True, help_text="The item that this one repeats."
    )
    held_at = serializers.DateTimeField(
        source="item.held_at", allow_null=True, help_text="Since then, raters do not get it."
    )
    n_slots = serializers.IntegerField(help_text="Number of answers requested.")
    n_submitted = serializers.IntegerField()
    n_in_hand = serializers.IntegerField(help_text="In progress: reserved by a rater now.")
    n_skips = serializers.IntegerField()

    def get_responses(self, row: board.ItemRow) -> list[int]:
        return sorted(entry.response_id for entry in row.item.item_responses.all())


class ItemQuery(PageQuery):
    status = serializers.ChoiceField(
        required=False, choices=[value for value, _label in ItemFilterForm.STATUSES if value]
    )
    reason = serializers.ChoiceField(
        required=False,
        choices=Pass.Reason.choices,
        help_text="Only items that somebody skipped for this reason.",
    )


class RaterInCampaignSerializer(serializers.Serializer[object]):
    rater = OneOf(Rater.people.all(), help_text="The ID of a rater.")


class CampaignStandingSerializer(serializers.Serializer[object]):
    """A rater's status in one campaign."""

    campaign = serializers.IntegerField(source="campaign_id")
    rater = serializers.IntegerField(source="rater_id")
    warned_at = serializers.DateTimeField(allow_null=True)
    paused_at = serializers.DateTimeField(
        allow_null=True, help_text="Since then, the rater gets no items of the campaign."
    )
    resumed_at = serializers.DateTimeField(allow_null=True)


@described(
    list_campaigns="Campaigns with their progress, newest first.",
    read_campaign="One campaign with its progress.",
)
class Campaigns(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Campaign.objects.all()
    serializer_class = CampaignSerializer
    query_class = CampaignQuery

    def filtered(self, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        campaigns = board.campaigns(state=self.asked.get("state", ""))
        plans = campaigns.select_related("conversation_plan")
        return plans.prefetch_related("conversation_plan__sources")

    def get_object(self) -> Campaign:
        return labeling_access.campaign(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Sequence[Campaign]) -> Sequence[object]:
        return board.campaign_rows(campaigns=objects, now=timezone.now())

    @writes("create_campaign", CampaignSerializer, body=bodies.NewCampaignSerializer, status=201)
    def create(self, **values: object) -> Campaign:
        """Create a draft campaign with an item for each matching prompt. Open it to hand out
        items.
        """
        chosen = bodies.selection_of(values)
        return services.create_campaign(
            **bodies.arguments_of(values),
            prompts=selection.fitting_prompts(selection=chosen),
            source_ids=chosen.response_source_ids,
            selection=asdict(chosen),
            **self.who_and_when,
        )

    @does(
        "count_prompts_for_campaign",
        MatchingSerializer,
        body=bodies.SelectedSerializer,
        is_one=False,
    )
    def count(self, **values: object) -> selection.SelectionCounts:
        """How many prompts a campaign with this selection would use. Nothing is created."""
        return selection.match(selection=bodies.selection_of(values))

    @writes(
        "change_campaign",
        CampaignSerializer,
        body=bodies.CampaignChangeSerializer,
        is_one=True,
    )
    def partial_update(self, campaign: Campaign, **values: Any) -> None:
        """Change its settings, from the next item that a rater takes. 409 if it is closed."""
        bodies.refuse_others(values, kind=campaign.kind)
        changes = {name: values[name] for name in services.CHANGEABLE if name in values}
        golds = {
            name: values[name] for name in gold_services.SETTINGS if name in values.keys() - changes
        }
        with transaction.atomic():
            services.change_campaign(
                campaign=campaign,
                values=changes,
                plan=values.get("conversation"),
                **self.who_and_when,
            )
            gold_services.set_golds(campaign=campaign, values=golds, **self.who_and_when)

    @removes("discard_campaign")
    def destroy(self, campaign: Campaign) -> None:
        """Delete a draft and free its prompts for other campaigns. 409 if it was ever opened."""
        if not services.discard_campaign(campaign=campaign, **self.who_and_when):
            raise Unable(_("Only a draft can be deleted. Close this campaign instead."))

    @does("open_campaign", CampaignSerializer)
    def open(self, campaign: Campaign) -> None:
        """Start handing out items. Changes nothing if it is already open or closed: check
        `state`.
        """
        services.open_campaign(campaign=campaign, **self.who_and_when)

    @does("pause_campaign", CampaignSerializer)
    def pause(self, campaign: Campaign) -> None:
        """Stop handing out items for now. Changes nothing unless it is open."""
        services.pause_campaign(campaign=campaign, **self.who_and_when)

    @does("close_campaign", CampaignSerializer)
    def close(self, campaign: Campaign) -> None:
        """Stop handing out items for good. Raters can still submit items they have open."""
        services.close_campaign(campaign=campaign, **self.who_and_when)

    @does("reopen_campaign", CampaignSerializer)
    def reopen(self, campaign: Campaign) -> None:
        """Hand out the remaining items of a closed campaign again, with the newest version of its
        guideline. Changes nothing unless it is closed.
        """
        services.reopen_campaign(campaign=campaign, **self.who_and_when)

    @reads(
        "list_campaign_items",
        paging.page_of(CampaignItemSerializer),
        query=ItemQuery,
        serializer_class=CampaignItemSerializer,
    )
    def items(self, request: Request, pk: int) -> Response:
        """Its items with their progress, newest first. The answers are in `GET /judgments`."""
        queryset = board.campaign_items(
            campaign=self.get_object(),
            status=self.asked.get("status", ""),
            reason=self.asked.get("reason", ""),
        )
        return self.page(
            queryset.prefetch_related("item_responses"),
            shown=lambda items: board.item_rows(items=items, now=timezone.now()),
        )

    @does(
        "pause_rater_in_campaign",
        CampaignStandingSerializer,
        body=RaterInCampaignSerializer,
        url_path="pause-rater",
    )
    def pause_rater(self, campaign: Campaign, *, rater: Rater) -> RaterStanding:
        """Give the rater no more items of this campaign, and send their recent answers in it to
        review. Changes nothing if they are paused already.
        """
        scores.pause_rater(campaign=campaign, rater=rater, **self.who_and_when)
        return RaterStanding.objects.get(campaign=campaign, rater=rater)

    @does(
        "resume_rater_in_campaign",
        CampaignStandingSerializer,
        body=RaterInCampaignSerializer,
        url_path="resume-rater",
    )
    def resume_rater(self, campaign: Campaign, *, rater: Rater) -> RaterStanding:
        """Give the rater items of this campaign again. Gold items answered before will not pause
        them again. 409 if they are not paused.
        """
        if not scores.resume_rater(campaign=campaign, rater=rater, **self.who_and_when):
            raise Unable(_("This rater is not paused in this campaign."))
        return RaterStanding.objects.get(campaign=campaign, rater=rater)
