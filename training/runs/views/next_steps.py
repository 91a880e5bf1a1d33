"""What a person may want to do with a run that has succeeded, as links."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.models import User
from training.configs import kinds
from training.configs.evaluation.attack import AttackConfig
from training.configs.knobs import POLICY, RESPONSES, REWARD
from training.models import Run, TrainedModel
from training.runs import run_queue


@dataclass(frozen=True)
class NextStep:
    label: str
    url: str


def next_steps(*, run: Run, person: User) -> list[NextStep]:
    """The most likely one first. Empty unless the run has left something."""
    if run.outcome != Run.Outcome.SUCCEEDED or run.is_dry:
        return []
    if kinds.KINDS[run.kind].leaves == RESPONSES:
        return _with_responses(run, person)
    if run.kind == AttackConfig.kind:
        return [NextStep(gettext("See the attacks"), reverse("run_attacks", args=[run.pk]))]
    if run_queue.reads_suites(run.kind):
        card = reverse("model_scorecard", args=[run.base_model_id])
        return [NextStep(gettext("See the scorecard"), card)]
    model = getattr(run, "trained_model", None)
    return _with_model(model) if model else []


def _with_responses(run: Run, person: User) -> list[NextStep]:
    n = run.metrics.get("n_responses", 0)
    seen = reverse("model_responses", args=[run.base_model_id])
    all_of_them = ngettext("See the response", "See all %(n)s responses", n) % {"n": f"{n:,}"}
    steps = [NextStep(all_of_them, f"{seen}?run={run.pk}")]
    if person.is_admin:
        sources = sampled_sources(run=run)
        query = urlencode([("response_source", source) for source in sources])
        label = ngettext(
            "New comparison campaign from this model",
            "New comparison campaign from these %(n)s models",
            len(sources),
        )
        url = f"{reverse('campaign_new')}?{query}"
        steps.append(NextStep(label % {"n": len(sources)}, url))
    return steps


def sampled_sources(*, run: Run) -> list[int]:
    """The sources of all models that have answered the same snapshot of prompts."""
    answered = Run.objects.filter(
        kind=run.kind,
        snapshot=run.snapshot_id,
        outcome=Run.Outcome.SUCCEEDED,
        is_dry=False,
        base_model__source__isnull=False,
    )
    sources = answered.order_by("base_model__source")
    return [pk for pk in sources.values_list("base_model__source", flat=True).distinct() if pk]


def _with_model(model: TrainedModel) -> list[NextStep]:
    steps = []
    if model.kind == POLICY:
        steps.append(NextStep(gettext("Try it"), f"{reverse('model_try')}?model={model.pk}"))
    for kind, about in kinds.KINDS.items():
        is_reward = model.kind == REWARD and bool(about.reward_button)
        is_asked = bool(about.model_button) and not about.leaves_model()
        if is_reward or (is_asked and model.kind in about.starts_from):
            role = "reward_model" if is_reward else "base_model"
            label = about.reward_button if is_reward else about.model_button
            url = f"{reverse('run_new', args=[kind])}?{role}={model.pk}"
            steps.append(NextStep(gettext(label), url))
    return steps
