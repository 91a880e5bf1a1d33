"""Where data and models come from, in the REST API: the lineage of models, campaigns and prompts as
researchers see them, and raters who withdraw. Of raters only how many.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Id, OneOf
from accounts.api.paging import PageQuery, page_of
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling import access as labeling_access
from labeling.models import Campaign, Prompt, Rater, Source
from labeling.people.withdrawals import withdrawal
from training import access as training_access
from training.models import TrainedModel
from training.registry import selectors as registry_selectors
from training.registry.lineage import collected_data, drawing, withdrawals


class NamedSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    name = serializers.CharField()


# --- models ---------------------------------------------------------------------------------------


class LineageStepSerializer(serializers.Serializer[registry_selectors.LineageStep]):
    """One model, and what made it. A base model has neither run nor snapshot."""

    model = NamedSerializer()
    run = NamedSerializer(allow_null=True)
    snapshot = NamedSerializer(allow_null=True)


class LineageSerializer(serializers.Serializer[Mapping[str, object]]):
    steps = LineageStepSerializer(many=True, help_text="From this model back to its base.")
    reward_models = serializers.ListField(
        child=LineageStepSerializer(many=True),
        help_text="The lineages of the reward models behind these steps.",
    )
    children = NamedSerializer(many=True)


class ModelResponseQuery(PageQuery):
    run = Id(required=False, help_text="Only those of a sampling run.")


class ModelResponseSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    prompt = serializers.IntegerField(source="prompt_id")
    text = serializers.CharField()
    number = serializers.IntegerField(help_text="Among the model's responses to the prompt.")
    sampling = serializers.DictField()
    is_ended = serializers.BooleanField(allow_null=True)
    n_judged = serializers.IntegerField(help_text="How often it was compared.")
    created_at = serializers.DateTimeField()


class ModelLineage(ApiViewSet):
    """Below the view set of models."""

    queryset = TrainedModel.objects.all()
    serializer_class = ModelResponseSerializer

    def get_object(self) -> TrainedModel:
        return training_access.model(user=self.by, pk=self.kwargs["pk"])

    @reads("read_model_lineage", LineageSerializer)
    def lineage(self, request: Request, pk: int) -> Response:
        """What it was made from, run by run, and the models made from it."""
        model = self.get_object()
        steps = registry_selectors.lineage(model=model)
        result = {
            "steps": steps,
            "reward_models": registry_selectors.reward_lineages(steps=steps),
            "children": registry_selectors.children(model=model),
        }
        return Response(LineageSerializer(result).data)

    @reads("list_model_responses", page_of(ModelResponseSerializer), query=ModelResponseQuery)
    def responses(self, request: Request, pk: int) -> Response:
        """What it wrote for prompts of this site, newest first."""
        asked = self.asked.get("run")
        run = training_access.run(user=self.by, pk=asked) if asked else None
        return self.page(drawing.responses_of(model=self.get_object(), run=run))


# --- campaigns and prompts ------------------------------------------------------------------------


class GuidelineUseSerializer(serializers.Serializer[Mapping[str, object]]):
    version = serializers.CharField()
    questions = serializers.ListField(child=serializers.CharField())
    n_judgments = serializers.IntegerField()


class UseInSnapshotSerializer(NamedSerializer):
    n_from_here = serializers.IntegerField(help_text="Its judgments from here.")


class ComparedSourceSerializer(serializers.Serializer[Mapping[str, object]]):
    source = NamedSerializer()  # type: ignore[assignment]  # shadows Field.source
    model = NamedSerializer(allow_null=True)


class CampaignLineageSerializer(serializers.Serializer[Mapping[str, object]]):
    """A campaign at a glance."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Campaign.Kind.choices)
    n_items = serializers.IntegerField()
    n_judgments = serializers.IntegerField()
    n_raters = serializers.IntegerField()
    guideline_versions = GuidelineUseSerializer(many=True)
    snapshots = UseInSnapshotSerializer(many=True)
    compared = ComparedSourceSerializer(many=True)


class PromptResponseSerializer(serializers.Serializer[Mapping[str, object]]):
    id = serializers.IntegerField()
    source = NamedSerializer()  # type: ignore[assignment]  # shadows Field.source
    model = NamedSerializer(allow_null=True)
    text = serializers.CharField()
    n_judged = serializers.IntegerField()


class PromptLineageSerializer(serializers.Serializer[Mapping[str, object]]):
    id = serializers.IntegerField()
    messages = serializers.ListField(child=serializers.DictField())
    n_judgments = serializers.IntegerField()
    campaigns = NamedSerializer(many=True)
    snapshots = UseInSnapshotSerializer(many=True)


@described(read_campaign_lineage="What was asked in a campaign, and what came of it.")
class CampaignLineage(RetrieveModelMixin, ApiViewSet):
    queryset = Campaign.objects.all()
    serializer_class = CampaignLineageSerializer

    def get_object(self) -> Campaign:
        return training_access.campaign(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Iterable[Campaign]) -> list[dict[str, object]]:
        return [_campaign(campaign) for campaign in objects]


@described(read_prompt_lineage="A prompt, where it was used, and how many answered.")
class PromptLineage(RetrieveModelMixin, ApiViewSet):
    queryset = Prompt.objects.all()
    serializer_class = PromptLineageSerializer

    def get_object(self) -> Prompt:
        return training_access.prompt(user=self.by, pk=self.kwargs["pk"])

    def shown(self, objects: Any) -> list[dict[str, object]]:
        if self.action == "responses":
            models = collected_data.models_of(sources=Source.objects.filter(responses__in=objects))
            return [_response(row, models.get(row.source_id)) for row in objects]
        return [_prompt(row) for row in objects]

    @reads(
        "list_prompt_responses",
        page_of(PromptResponseSerializer),
        query=PageQuery,
        serializer_class=PromptResponseSerializer,
    )
    def responses(self, request: Request, pk: int) -> Response:
        """Every response to the prompt, by source, with its model."""
        return self.part(collected_data.responses_to(prompt=self.get_object()))


def _campaign(campaign: Campaign) -> dict[str, object]:
    summary = collected_data.counted_summary(campaign=campaign, now=timezone.now())
    assert summary.answered is not None
    answered = summary.answered.value
    return {
        "id": campaign.pk,
        "name": campaign.name,
        "kind": campaign.kind,
        "n_items": summary.n_items,
        "n_judgments": answered.n_judgments,
        "n_raters": answered.n_raters,
        "guideline_versions": [
            {
                "version": str(use.version),
                "questions": use.questions,
                "n_judgments": use.n_judgments,
            }
            for use in summary.versions
        ],
        "snapshots": summary.snapshots or [],
        "compared": [
            {"source": source, "model": model} for source, model in summary.compared or []
        ],
    }


def _prompt(prompt: Prompt) -> dict[str, object]:
    return {
        "id": prompt.pk,
        "messages": prompt.messages,
        "n_judgments": collected_data.n_judgments_on(prompt=prompt),
        "campaigns": collected_data.campaigns_asking(prompt=prompt),
        "snapshots": collected_data.snapshots_with(prompt=prompt),
    }


def _response(response: Any, model: TrainedModel | None) -> dict[str, object]:
    return {
        "id": response.pk,
        "source": response.source,
        "model": model,
        "text": response.text,
        "n_judged": response.n_judged,
    }


# --- raters who withdraw --------------------------------------------------------------------------


class WithdrawalSerializer(serializers.Serializer[Rater]):
    """A rater under a pseudonym."""

    id = serializers.IntegerField(help_text="Of the rater.")
    alias = serializers.CharField()
    withdrawn_at = serializers.DateTimeField(
        allow_null=True, help_text="Null for a rater who has not withdrawn."
    )


class TouchedSerializer(serializers.Serializer[Mapping[str, object]]):
    """What holds, or learned from, the rater's answers and texts. To remove their data fully:
    create new snapshots, train again, retire these models.
    """

    n_judgments = serializers.IntegerField()
    snapshots = UseInSnapshotSerializer(many=True)
    runs = NamedSerializer(many=True)
    models = NamedSerializer(many=True)


class NewWithdrawalSerializer(serializers.Serializer[object]):
    rater = OneOf(Rater.people.all())


@described(
    list_withdrawals="Raters who have withdrawn, newest first.",
    read_withdrawal="One rater, by their ID.",
)
class Withdrawals(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Rater.people.filter(withdrawn_at__isnull=False)
    serializer_class = WithdrawalSerializer

    def get_object(self) -> Rater:
        return labeling_access.rater_as_alias(user=self.by, pk=self.kwargs["pk"])

    @writes("withdraw_rater", WithdrawalSerializer, body=NewWithdrawalSerializer, status=201)
    def create(self, *, rater: Rater) -> Rater:
        """Withdraw a rater: their answers stop counting, what they wrote is shown to nobody, and
        they get no more items. Changes nothing if they have withdrawn.
        """
        withdrawal.withdraw_rater(rater=rater, **self.who_and_when)
        rater.refresh_from_db()
        return rater

    @does("readmit_rater", WithdrawalSerializer)
    def readmit(self, rater: Rater) -> None:
        """Undo a withdrawal that was a mistake. Add the rater to pools again yourself."""
        withdrawal.readmit_rater(rater=rater, **self.who_and_when)

    @reads("read_withdrawal_traces", TouchedSerializer)
    def traces(self, request: Request, pk: int) -> Response:
        """The snapshots, runs and models that the rater's answers went into."""
        touched = withdrawals.touched_by(rater=self.get_object())
        snapshots = [
            {"id": trace.snapshot.pk, "name": trace.snapshot.name, "n_from_here": trace.n_judgments}
            for trace in touched.snapshots
        ]
        body = {
            "n_judgments": touched.n_judgments,
            "snapshots": snapshots,
            "runs": touched.runs,
            "models": touched.models,
        }
        return Response(TouchedSerializer(body).data)
