"""The rewards of a run: a reward model, rules, or a weighted sum of several. TRL calls one function
for each.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.configs.online import rewards
from training.trainer.data import Prompt
from training.trainer.online.rules import Rule
from training.trainer.reward import scoring
from training.trainer.sample import generation
from training.trainer.sample.generation import GeneratedResponse

Texts = Sequence[Prompt]
Answers = Sequence[GeneratedResponse]
Score = Callable[[Texts, Answers], list[float]]

UNFINISHED = "unfinished"
"""1 for a response that does not end. Its weight is the penalty, and not a part of the reward that
is measured.
"""


def total(scores: Mapping[str, Sequence[float]], weights: Mapping[str, float]) -> list[float]:
    """The weighted sum of the rewards of each response."""
    rows = zip(*(scores[name] for name in weights), strict=True)
    return [
        sum(weight * value for weight, value in zip(weights.values(), row, strict=True))
        for row in rows
    ]


def by_model(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, batch_size: int
) -> Score:
    """The reward model's scores: of the answers, and of the thinking before them only if it was
    trained on thinking.
    """

    def score(prompts: Texts, written: Answers) -> list[float]:
        sequences = [
            generation.judged_ids(model, tokenizer, prompt, answer)
            for prompt, answer in zip(prompts, written, strict=True)
        ]
        pad = int(tokenizer.pad_token_id or 0)
        return scoring.rewards_of_sequences(model, pad, sequences, batch_size=batch_size)

    return score


def by_rule(rule: Rule) -> Score:
    return lambda prompts, written: [
        rule(prompt, answer) for prompt, answer in zip(prompts, written, strict=True)
    ]


@dataclass
class Mix:
    """`scores` and `weights` by the name of a reward. It keeps the last batch that TRL asked about,
    for the run's page.
    """

    tokenizer: PreTrainedTokenizerBase
    scores: Mapping[str, Score]
    weights: Mapping[str, float]
    missing_end_penalty: float
    is_drawn_apart: bool = False
    """whether each reward has a curve and a measure of its own"""
    ends: Collection[int] = ()
    """the tokens that end a response; without any, the tokenizer's end of turn"""
    train: Texts = ()
    prompts: Texts = ()
    answers: Answers = ()
    given: dict[str, list[float]] = field(default_factory=dict)
    _ids: object = None

    def judged(self, prompts: Texts, written: Answers) -> dict[str, list[float]]:
        """The scores of every reward, before its weight and without the penalty."""
        return {name: score(prompts, written) for name, score in self.scores.items()}

    def total(self, scores: Mapping[str, Sequence[float]]) -> list[float]:
        return total(scores, self.weights)

    def shown(self, scores: Mapping[str, Sequence[float]]) -> list[dict[str, object]]:
        """What the run's page says of each response: the total, and each reward where they are
        drawn apart.
        """
        columns = {"reward": self.total(scores)}
        if self.is_drawn_apart:
            columns |= {rewards.metric(name): list(values) for name, values in scores.items()}
        rows = zip(*columns.values(), strict=True)
        return [
            {name: round(value, 3) for name, value in zip(columns, row, strict=True)}
            for row in rows
        ]

    def mean_thinking(self) -> float:
        """Tokens of thinking in a response of the last batch."""
        return fmean(answer.n_thinking for answer in self.answers) if self.answers else 0.0

    def functions(self) -> "tuple[list[TrlReward], list[float]]":
        """(one function for each reward, their weights), as TRL takes them."""
        weights = dict(self.weights)
        if self.missing_end_penalty:
            weights[UNFINISHED] = -self.missing_end_penalty
        return [TrlReward(self, name) for name in weights], list(weights.values())

    def last_batch(
        self,
        numbers: Sequence[str],
        ids: Sequence[list[int]],
    ) -> tuple[Texts, Answers]:
        """Prompts, by their numbers in `train`, and responses; read once for all functions of a
        step.
        """
        if ids is not self._ids:
            ends = self.ends or {self.tokenizer.eos_token_id}
            self.prompts = [self.train[int(number)] for number in numbers]
            self.answers = [
                generation.read(
                    self.tokenizer, list(row), is_ended=row[-1] in ends, tools=prompt.tools
                )
                for prompt, row in zip(self.prompts, ids, strict=True)
            ]
            self._ids, self.given = ids, {}
        return self.prompts, self.answers


@dataclass
class TrlReward:
    """One reward as a function that TRL can call."""

    mix: Mix
    name: str

    @property
    def __name__(self) -> str:
        return rewards.metric(self.name)

    def __call__(
        self,
        prompts: Sequence[str],
        completions: object,
        completion_ids: Sequence[list[int]],
        **_rest: object,
    ) -> list[float]:
        texts, answers = self.mix.last_batch(prompts, completion_ids)
        if self.name == UNFINISHED:
            return [float(not answer.is_ended) for answer in answers]
        self.mix.given[self.name] = self.mix.scores[self.name](texts, answers)
        return self.mix.given[self.name]
