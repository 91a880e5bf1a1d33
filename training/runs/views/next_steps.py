"""What a run came to, and what a person may want to do with it, as links."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.models import User
from pages.verdicts import Action, Effect, Verdict
from training.configs import kinds
from training.configs.evaluation.attack import AttackConfig
from training.configs.knobs import POLICY, RESPONSES, REWARD
from training.configs.sample import SampleConfig
from training.models import Run, TrainedModel
from training.results import reward_quality, verdicts
from training.runs import run_queue
from training.runs import selectors as runs_selectors
from training.runs.views import cautions

_LONGEST_PATH = 200
"""of a notice"""


def verdict(*, run: Run, person: User) -> Verdict:
    """With no button unless the run has left something."""
    found = verdicts.of_run(kind=run.kind, metrics=run.metrics)
    if caution := cautions.caution(run):
        found = replace(found, advice=caution, effect=Effect.UNCLEAR)
    return found.with_actions(next_steps(run=run, person=person, effect=found.effect))


def next_steps(*, run: Run, person: User, effect: Effect) -> list[Action]:
    """The most likely one first. Empty unless the run has left something."""
    if run.outcome != Run.Outcome.SUCCEEDED or run.is_dry:
        return []
    if kinds.KINDS[run.kind].leaves == RESPONSES:
        return _with_responses(run, person)
    if run.kind == AttackConfig.kind:
        return [Action(gettext("See the attacks"), reverse("run_attacks", args=[run.pk]))]
    if run_queue.reads_suites(run.kind):
        card = reverse("model_scorecard", args=[run.base_model_id])
        return [Action(gettext("See the scorecard"), card)]
    model = getattr(run, "trained_model", None)
    return with_model(model, effect) if model else []


def _with_responses(run: Run, person: User) -> list[Action]:
    n = run.metrics.get("n_responses", 0)
    seen = reverse("model_responses", args=[run.base_model_id])
    all_of_them = ngettext("See the response", "See all %(n)s responses", n) % {"n": f"{n:,}"}
    steps = [Action(all_of_them, f"{seen}?run={run.pk}")]
    sources = runs_selectors.sampled_sources(run=run)
    if person.is_admin:
        label = ngettext(
            "New comparison campaign from this model",
            "New comparison campaign from these %(n)s models",
            len(sources),
        )
        url = new_campaign(sources=sources)
        steps.append(Action(label % {"n": len(sources)}, url))
    else:
        label = gettext("Ask an admin to have them compared")
        steps.append(Action(label, reverse("run_ask_for_comparison", args=[run.pk]), is_act=True))
    return steps


def can_ask_for_comparison(*, run: Run) -> bool:
    is_whole = run.outcome == Run.Outcome.SUCCEEDED and not run.is_dry
    return is_whole and kinds.KINDS[run.kind].leaves == RESPONSES


def new_campaign(*, sources: list[int]) -> str:
    """The form of a new campaign, with as many of these sources chosen as a notice has room for."""
    path = reverse("campaign_new")
    for n in range(len(sources), 0, -1):
        query = urlencode([("response_source", source) for source in sources[:n]])
        if len(path) + 1 + len(query) <= _LONGEST_PATH:
            return f"{path}?{query}"
    return path


def with_model(model: TrainedModel, effect: Effect) -> list[Action]:
    """What fits a model whose training came to this: of one that got worse first what it learned
    from, and of one that nobody can judge yet its responses, to have them compared.
    """
    uses = _uses(model, is_usable=is_usable(kind=model.kind, metrics=model.metrics, effect=effect))
    data = gettext("See what it learned from")
    to_data = [Action(data, reverse("snapshot", args=[model.run.snapshot_id]))] if model.run else []
    if not is_usable(kind=model.kind, metrics=model.metrics, effect=effect):
        return [*to_data, *uses]
    if model.kind == POLICY and effect != Effect.BETTER:
        return sorted(uses, key=lambda action: action.url != _new_run(SampleConfig.kind, model))
    return uses


def is_usable(*, kind: str, metrics: Mapping[str, Any], effect: Effect) -> bool:
    """Whether a model is offered for use: never one that got worse, nor a reward model that may be
    no better than chance.
    """
    if effect == Effect.WORSE:
        return False
    return kind != REWARD or not reward_quality.why_not_used(metrics=metrics)


def _uses(model: TrainedModel, *, is_usable: bool) -> list[Action]:
    uses = []
    if model.kind == POLICY:
        uses.append(Action(gettext("Try it"), f"{reverse('model_try')}?model={model.pk}"))
    for kind, about in kinds.KINDS.items():
        if model.kind == REWARD and is_usable and about.reward_button:
            url = f"{reverse('run_new', args=[kind])}?reward_model={model.pk}"
            uses.append(Action(gettext(about.reward_button), url))
        elif about.model_button and not about.leaves_model() and model.kind in about.starts_from:
            uses.append(Action(gettext(about.model_button), _new_run(kind, model)))
    return uses


def _new_run(kind: str, model: TrainedModel) -> str:
    return f"{reverse('run_new', args=[kind])}?base_model={model.pk}"
