"""What is known of a model: by the gate that decided about it, by suites, or by the run that made
it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext

from pages.verdicts import Effect, Verdict
from training.benchmarks.scorecards.pages import verdicts as scorecard_verdicts
from training.benchmarks.scorecards.selectors import Scorecard
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.models import TrainedModel
from training.results import uses
from training.results import verdicts as run_verdicts

_PROMOTED = "passed"
"""the outcome of a gate"""


def verdict(*, model: TrainedModel, card: Scorecard, is_endpoint: bool) -> Verdict:
    newest = model.gates.exclude(verdict={}).order_by("-pk").first()
    by_run = run_verdicts.of_run(
        kind=model.run.kind if model.run else "", metrics=model.metrics if model.run else {}
    )
    found = of_evidence(
        gate=newest.verdict if newest else {},
        by_suites=scorecard_verdicts.of_model(card, model),
        by_run=by_run,
    )
    actions = uses.of_model(model, found.effect, is_endpoint=is_endpoint)
    if not found.sentence:
        sentence = gettext("Nothing has been measured of this model yet.")
        benchmark = f"/{BenchmarkConfig.kind}/"
        actions = sorted(actions, key=lambda action: benchmark not in action.url)
        return Verdict(sentence).with_actions(actions)
    return found.with_actions(actions)


def of_evidence(*, gate: Mapping[str, Any], by_suites: Verdict, by_run: Verdict) -> Verdict:
    """What raters decided comes first, then suites, then the run. Whatever says that the model got
    worse is said in any case. Without a sentence if nothing is known.
    """
    by_gate = Verdict(gate.get("sentence", ""))
    if gate.get("outcome") == _PROMOTED:
        by_gate = replace(by_gate, effect=Effect.BETTER)
    known = [found for found in (by_gate, by_suites, by_run) if found.sentence]
    if not known:
        return Verdict("")
    first, worse = known[0], [found for found in known if found.effect == Effect.WORSE]
    if not worse or worse[0] is first:
        return first
    advice = f"{worse[0].sentence} {worse[0].advice}".strip()
    return replace(first, advice=advice, effect=Effect.WORSE)
