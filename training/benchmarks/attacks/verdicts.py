"""What an attack comes to: how often it succeeded, and whether less often than another run."""

from django.urls import reverse
from django.utils.translation import gettext

from pages.verdicts import Action, Effect, Verdict, effect_of
from training.benchmarks.attacks import words
from training.benchmarks.attacks.success import BY_LABELS, BY_RATES, Success
from training.benchmarks.statistics.attack_success import Rates
from training.benchmarks.statistics.differences import Difference


def of_attack(
    overall: Success,
    rates: Rates | None,
    *,
    run_id: int,
    is_finished: bool,
    change: Difference | None = None,
) -> Verdict:
    """`change`: of another run's attempts beside these, by the classifier. People are asked first
    where nobody has measured how often the classifier is wrong.
    """
    found = Verdict(words.sentence(overall), words.method(overall, rates), _effect(change))
    to_raters = Action(
        gettext("Send a sample to raters"), reverse("run_attacks_raters", args=[run_id])
    )
    is_corrected = overall.method in (BY_LABELS, BY_RATES)
    return found.with_actions([to_raters] if is_finished and not is_corrected else [])


def _effect(change: Difference | None) -> Effect:
    """Fewer successes are better."""
    if change is None or change.p is None:
        return Effect.UNCLEAR
    return effect_of(change.low, change.high, is_more_better=False)
