"""The buttons that fit a model, by what its training came to."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from pages.verdicts import Action, Effect
from training.configs import kinds
from training.configs.knobs import POLICY, REWARD
from training.configs.sample import SampleConfig
from training.models import TrainedModel
from training.results import reward_quality


def of_model(model: TrainedModel, effect: Effect, *, is_endpoint: bool = False) -> list[Action]:
    """Of one that got worse first what it learned from, and of one that nobody can judge yet its
    responses, to have them compared.
    """
    is_fit = is_usable(kind=model.kind, metrics=model.metrics, effect=effect)
    uses = _uses(model, is_fit=is_fit, is_endpoint=is_endpoint)
    if is_fit:
        sampling = _new_run(SampleConfig.kind, model)
        is_sure = effect == Effect.BETTER or model.kind != POLICY
        return uses if is_sure else sorted(uses, key=lambda action: action.url != sampling)
    if model.run is None:
        return uses
    data = reverse("snapshot", args=[model.run.snapshot_id])
    return [Action(gettext("See what it learned from"), data), *uses]


def is_usable(*, kind: str, metrics: Mapping[str, Any], effect: Effect) -> bool:
    """Whether a model is offered for use: never one that got worse, nor a reward model that may be
    no better than chance.
    """
    if effect == Effect.WORSE:
        return False
    return kind != REWARD or not reward_quality.why_not_used(metrics=metrics)


def _uses(model: TrainedModel, *, is_fit: bool, is_endpoint: bool) -> list[Action]:
    uses = list[Action]()
    if not model.can_be_used:
        return uses
    if model.kind == POLICY:
        uses.append(Action(gettext("Try it"), f"{reverse('model_try')}?model={model.pk}"))
    for kind, about in kinds.KINDS.items():
        if is_endpoint and not about.takes_endpoints:
            continue
        if model.kind == REWARD and is_fit and about.reward_button:
            url = f"{reverse('run_new', args=[kind])}?reward_model={model.pk}"
            uses.append(Action(gettext(about.reward_button), url))
        elif about.model_button and model.kind in about.starts_from:
            uses.append(Action(gettext(about.model_button), _new_run(kind, model)))
    return uses


def _new_run(kind: str, model: TrainedModel) -> str:
    return f"{reverse('run_new', args=[kind])}?base_model={model.pk}"
