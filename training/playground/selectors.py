"""Queries for the playground."""

from dataclasses import dataclass

from django.db.models import QuerySet

from labeling.access import visible
from labeling.models import Demonstration, Judgment, Prompt
from training.models import Run, TrainedModel


@dataclass(frozen=True)
class KeptTurn:
    """A saved prompt and the demonstrations saved for it outside campaigns, newest first."""

    prompt: Prompt
    answers: list[Demonstration]


def models_to_try() -> QuerySet[TrainedModel]:
    """Language models that are not retired and that no resumed run is about to replace,
    newest first.
    """
    models = TrainedModel.objects.filter(kind=TrainedModel.Kind.POLICY, freed_at=None).exclude(
        stage=TrainedModel.Stage.RETIRED
    )
    models = models.exclude(run__state__in=(Run.State.QUEUED, Run.State.RUNNING))
    return models.select_related("endpoint").order_by("-created_at", "-pk")


def licence_of(*, pk: str) -> str:
    """The licence of the model with this id; "" if there is none."""
    model = TrainedModel.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    return model.licence if model else ""


def kept_turn(*, prompt_id: int) -> KeptTurn | None:
    prompt = visible(Prompt.objects.filter(pk=prompt_id)).select_related("source").first()
    if prompt is None:
        return None
    own = Demonstration.objects.filter(
        Judgment.of_people.condition("judgment__"),
        judgment__prompt=prompt,
        judgment__campaign=None,
        judgment__import_batch=None,
    )
    return KeptTurn(
        prompt,
        list(own.select_related("edit_of").order_by("-pk")[:20]),
    )
