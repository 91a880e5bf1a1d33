"""Reads of the page that tries models."""

from dataclasses import dataclass

from django.db.models import QuerySet

from labeling.models import Demonstration, Prompt
from labeling.selectors.prompts import visible
from training.models import Publication, TrainedModel

N_PUBLICATIONS = 5


@dataclass(frozen=True)
class KeptTurn:
    """A prompt, and what was shown as right answers to it outside any campaign, the newest
    first.
    """

    prompt: Prompt
    answers: list[Demonstration]


@dataclass(frozen=True)
class OnItsWay:
    """A publication, and whether it still changes by itself."""

    publication: Publication
    is_going: bool


def models_to_try() -> QuerySet[TrainedModel]:
    """Language models that are not retired, the newest first."""
    found = TrainedModel.objects.filter(kind=TrainedModel.Kind.POLICY, freed_at=None).exclude(
        stage=TrainedModel.Stage.RETIRED
    )
    return found.select_related("endpoint").order_by("-created_at", "-pk")


def publications(*, model: TrainedModel) -> list[OnItsWay]:
    """The newest first."""
    found = model.publications.select_related("created_by").order_by("-pk")[:N_PUBLICATIONS]
    return [
        OnItsWay(one, one.state in (Publication.State.QUEUED, Publication.State.RUNNING))
        for one in found
    ]


def licence_of(*, pk: str) -> str:
    """Of a model that a form names; empty for none."""
    model = TrainedModel.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    return model.licence if model else ""


def kept(*, prompt_id: int) -> KeptTurn | None:
    prompt = visible(Prompt.objects.filter(pk=prompt_id)).select_related("source").first()
    if prompt is None:
        return None
    own = Demonstration.objects.filter(
        judgment__prompt=prompt, judgment__campaign=None, judgment__import_batch=None
    )
    return KeptTurn(
        prompt,
        list(own.filter(judgment__is_current=True).select_related("edit_of").order_by("-pk")[:20]),
    )
