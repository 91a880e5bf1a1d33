"""A line as plain values: what raters said of each model of it, and what its gates made of that."""

from dataclasses import dataclass

import numpy as np

from arithmetic import clustering
from arithmetic.figures import Figure
from labeling.models import Campaign
from training.lines.selectors import Attempt, Fate, Line
from training.lines.win_rates import Votes, WinRate
from training.models import Chain, Schedule, TrainedModel
from training.schedules.gate import verdict as gate_verdict
from training.schedules.gate.verdict import Bars, Evidence

FIRST = TrainedModel(pk=1, name="first")


def win_rate(figure: Figure, pk: int = 1) -> WinRate:
    return WinRate(figure, Campaign(pk=pk))


def chain(number: int, state: str = "finished") -> Chain:
    return Chain(pk=number, number=number, state=state)


def model(number: int) -> TrainedModel:
    return TrainedModel(pk=number + 1, name=f"model {number}")


@dataclass
class Raters:
    """Who prefer a new model this often, more so on some prompts and by some raters."""

    random: np.random.Generator
    n_prompts: int
    n_raters: int
    share: float
    prompt_sd: float = 0.15
    rater_sd: float = 0.05

    def say(self) -> Figure:
        prompts = np.repeat(np.arange(self.n_prompts), self.n_raters)
        raters = np.tile(np.arange(self.n_raters), self.n_prompts)
        by_prompt = self.prompt_sd * self.random.choice([-1, 1], self.n_prompts)[prompts]
        by_rater = self.rater_sd * self.random.choice([-1, 1], self.n_raters)[raters]
        liked = np.clip(self.share + by_prompt + by_rater, 0, 1)
        won = (self.random.random(len(prompts)) < liked).astype(float)
        return clustering.share(won, prompts=prompts, raters=raters)


def drawn(raters: Raters, n_chains: int) -> Line:
    """Its gates promote what raters prefer, and later models are compared with that one."""
    attempts, votes, current = list[Attempt](), {}, FIRST
    for number in range(1, n_chains + 1):
        rate = win_rate(raters.say(), number)
        votes[number] = Votes(raters.n_prompts, raters.n_raters)
        seen = Evidence(rate.figure, 0, None, None, None, None, None)
        outcome = gate_verdict.judged(Bars(0.5, None, None), seen).outcome
        is_promoted = outcome == gate_verdict.Outcome.PASSED
        attempts.append(
            Attempt(
                chain=chain(number),
                fate=Fate.PROMOTED if is_promoted else Fate.REFUSED,
                model=model(number),
                before=current,
                against_before=rate,
                against_first=rate if current == FIRST else None,
            )
        )
        current = model(number) if is_promoted else current
    return Line(Schedule(pk=1, name="Weekly"), True, FIRST, current, attempts, votes=votes)
