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
from training.results import reward_quality
from training.runs import run_queue
from training.runs import selectors as runs_selectors

_LONGEST_PATH = 200
"""of a notice"""


@dataclass(frozen=True)
class NextStep:
    label: str
    url: str
    is_act: bool = False
    """pressed, not visited"""


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
    sources = runs_selectors.sampled_sources(run=run)
    if person.is_admin:
        label = ngettext(
            "New comparison campaign from this model",
            "New comparison campaign from these %(n)s models",
            len(sources),
        )
        url = new_campaign(sources=sources)
        steps.append(NextStep(label % {"n": len(sources)}, url))
    else:
        label = gettext("Ask an admin to have them compared")
        steps.append(NextStep(label, reverse("run_ask_for_comparison", args=[run.pk]), is_act=True))
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


def _to_its_data(snapshot: int) -> NextStep:
    return NextStep(gettext("See what it learned from"), reverse("snapshot", args=[snapshot]))


def _with_model(model: TrainedModel) -> list[NextStep]:
    steps = []
    is_usable = model.kind != REWARD or not reward_quality.why_not_used(metrics=model.metrics)
    if not is_usable and model.run:
        steps.append(_to_its_data(model.run.snapshot_id))
    if model.kind == POLICY:
        steps.append(NextStep(gettext("Try it"), f"{reverse('model_try')}?model={model.pk}"))
    for kind, about in kinds.KINDS.items():
        is_reward = model.kind == REWARD and is_usable and bool(about.reward_button)
        is_asked = bool(about.model_button) and not about.leaves_model()
        if is_reward or (is_asked and model.kind in about.starts_from):
            role = "reward_model" if is_reward else "base_model"
            label = about.reward_button if is_reward else about.model_button
            url = f"{reverse('run_new', args=[kind])}?{role}={model.pk}"
            steps.append(NextStep(gettext(label), url))
    return steps
