"""What a run came to, and what a person may want to do with it, as links."""

from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.models import User
from pages.numbers import grouped
from pages.verdicts import Action, Effect, Verdict
from training.benchmarks.attacks.summary import Summary
from training.benchmarks.scorecards.pages import verdicts as scorecard_verdicts
from training.configs import kinds
from training.configs.evaluation.attack import AttackConfig
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.knobs import RESPONSES
from training.models import RevisionCheck, Run
from training.results import uses, verdicts
from training.runs import run_queue, services
from training.runs import selectors as runs_selectors
from training.runs.views import cautions, unfinished


def verdict(*, run: Run, person: User, attack: Summary | None, now: datetime) -> Verdict:
    """`attack`: of an attack that has ended. What a run measured before it ended early is said,
    too.
    """
    found = attack.verdict if attack else _found(run)
    if pending := unfinished.verdict(run=run, now=now):
        sentence = f"{pending.sentence} {found.sentence}".strip()
        return replace(pending, sentence=sentence, effect=found.effect)
    if caution := cautions.caution(run):
        found = replace(found, advice=caution, effect=Effect.UNCLEAR)
    of_attack = [attack.verdict.action] if attack and attack.verdict.action else []
    steps = next_steps(run=run, person=person, effect=found.effect)
    return found.with_actions([*steps, *(of_attack if steps else [])])


def _found(run: Run) -> Verdict:
    """A benchmark's figures are its scores by suite, not its metrics."""
    if run.kind == BenchmarkConfig.kind and not run.is_dry:
        return scorecard_verdicts.of_run(run)
    return verdicts.of_run(kind=run.kind, metrics=run.metrics)


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
    return uses.of_model(model, effect) if model else []


def _with_responses(run: Run, person: User) -> list[Action]:
    n = run.metrics.get("n_responses", 0)
    seen = reverse("model_responses", args=[run.base_model_id])
    all_of_them = ngettext("See the response", "See all %(n)s responses", n) % {"n": grouped(n)}
    steps = [Action(all_of_them, f"{seen}?run={run.pk}")]
    if kinds.KINDS[run.kind].reads_principles:
        # Both sides of a comparison are this model's, so no campaign by model would do.
        return [*_with_revisions(run), *steps]
    sources = runs_selectors.sampled_sources(run=run)
    if person.is_admin:
        label = ngettext(
            "New comparison campaign from this model",
            "New comparison campaign from these %(n)s models",
            len(sources),
        )
        url = services.new_campaign_path(sources=sources)
        steps.append(Action(label % {"n": len(sources)}, url))
    else:
        label = gettext("Ask an admin to have them compared")
        steps.append(Action(label, reverse("run_ask_for_comparison", args=[run.pk]), is_act=True))
    return steps


def _with_revisions(run: Run) -> list[Action]:
    if RevisionCheck.objects.filter(run=run).exists():
        return []
    label = gettext("Have revisions compared, blind")
    return [Action(label, reverse("run_revisions_raters", args=[run.pk]))]


def can_ask_for_comparison(*, run: Run) -> bool:
    is_whole = run.outcome == Run.Outcome.SUCCEEDED and not run.is_dry
    return is_whole and kinds.KINDS[run.kind].leaves == RESPONSES
