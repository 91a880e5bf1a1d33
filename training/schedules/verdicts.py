"""What a schedule and a chain come to: how far the newest one is, what it promoted or why not, and
what it waits for. Pure but for addresses.
"""

from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from pages.verdicts import Action, Effect, Verdict
from training.models import Chain
from training.schedules.gate.selectors import Gate
from training.schedules.gate.verdict import Outcome


@dataclass(frozen=True)
class Step:
    """The step that a chain is at: `number` of `n`, counted from 1."""

    number: int
    n: int
    words: str | Promise


def of_schedule(chain: Chain | None, step: Step | None, gate: Gate | None) -> Verdict:
    """`chain` is its newest, `step` what that works on or waits at. The button leads to a chain
    that needs a person, or runs the next one after one that decided nothing.
    """
    if chain is None:
        return Verdict(gettext("No chain has run yet."))
    own = gate if gate and gate.link.chain_id == chain.pk else None
    found = of_chain(chain, step, own, is_newest=True)
    named = gettext("Chain %(n)s: %(sentence)s") % {"n": chain.number, "sentence": found.sentence}
    verdict = replace(found, sentence=named)
    if chain.state not in (Chain.State.APPROVAL, Chain.State.FAILED):
        return verdict
    label = gettext("Go to chain %(n)s") % {"n": chain.number}
    return verdict.with_actions([Action(label, reverse("chain", args=[chain.pk]))])


def of_chain(
    chain: Chain, step: Step | None, gate: Gate | None, *, is_newest: bool = False
) -> Verdict:
    """After an undecided gate, the newest chain of a schedule offers the next one, which goes on
    from the undecided model.
    """
    if chain.state == Chain.State.FAILED:
        return Verdict(_at(step, gettext("It has stopped at step %(number)s of %(n)s: %(words)s.")))
    if gate and gate.sentence:
        effect = Effect.BETTER if gate.outcome == Outcome.PASSED else Effect.UNCLEAR
        found = Verdict(gate.sentence, gate.votes, effect)
        is_over = is_newest and chain.state == Chain.State.FINISHED
        return found.with_actions(_go_on(chain) if is_over and gate.is_undecided else [])
    if gate and gate.votes:
        return Verdict(gate.votes)
    if chain.state == Chain.State.APPROVAL:
        words = gettext("It waits for approval of step %(number)s of %(n)s: %(words)s.")
        return Verdict(_at(step, words))
    if chain.state == Chain.State.GOING:
        return Verdict(_at(step, gettext("It is at step %(number)s of %(n)s: %(words)s.")))
    if chain.state == Chain.State.STOPPED:
        return Verdict(gettext("It was stopped before it ended."))
    return Verdict(gettext("It has done all its steps."))


def _go_on(chain: Chain) -> list[Action]:
    fire = reverse("schedule_fire", args=[chain.schedule_id])
    return [Action(gettext("Run the next chain"), fire, is_act=True)]


def _at(step: Step | None, words: str) -> str:
    if step is None:
        return gettext("It waits to begin.")
    return words % {"number": step.number, "n": step.n, "words": step.words}
