"""Attacks a model: it answers what strategies say, and talks with the attacker model."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from training.configs.evaluation.attack import ATTACKER, AttackConfig
from training.processes.run_lines import AnswerLine
from training.trainer.evaluation.answerers import Answerer
from training.trainer.evaluation.attacks import attempts, strategies
from training.trainer.evaluation.items import Item
from training.trainer.modeling.chat_template import Message
from training.trainer.sample import remote


@dataclass
class _Talk:
    """A conversation that the attacker model leads."""

    item: Item
    said: list[Message] = field(default_factory=list)
    missing: str = ""
    last: AnswerLine | None = None

    @property
    def goal(self) -> list[Message]:
        return list(self.item.row["prompt"])

    def answered_with(self, messages: Sequence[Message]) -> Item:
        return replace(self.item, messages=list(messages))


class Attacking:
    """Answers attempts: `target` is the model under attack."""

    def __init__(self, target: Answerer, attacker: Answerer | None, config: AttackConfig) -> None:
        self.target, self.attacker, self.config = target, attacker, config
        self.is_shared = target.is_shared

    def answer(self, batch: Sequence[Item]) -> list[AnswerLine]:
        scripted = [item for item in batch if item.strategy != ATTACKER]
        led = [item for item in batch if item.strategy == ATTACKER]
        rows = {}
        if scripted:
            for item, answered in zip(scripted, self.target.answer(scripted), strict=True):
                rows[item.key] = attempts.row(item, answered)
        for talk in self._talks(led):
            assert talk.last is not None
            rows[talk.item.key] = attempts.stored(talk.item, talk.last, talk.said)
        return [rows[item.key] for item in batch]

    def check(self) -> None:
        self.target.check()
        if self.attacker is not None:
            self.attacker.check()

    def _talks(self, led: Sequence[Item]) -> list[_Talk]:
        talks = [_Talk(item, list(item.row["prompt"][:-1])) for item in led]
        for _turn in range(self.config.turns - 1):
            going = [talk for talk in talks if not talk.missing]
            self._attack(going)
            self._reply([talk for talk in going if not talk.missing])
        going = [talk for talk in talks if not talk.missing]
        for talk in going:
            talk.said.append(talk.goal[-1])
        self._last_reply(going)
        for talk in talks:
            if talk.missing and talk.last is not None:
                talk.last = talk.last | {"missing": talk.missing}
        return talks

    def _attack(self, talks: Sequence[_Talk]) -> None:
        """The attacker's next turn. One without a word ends the attempt."""
        assert self.attacker is not None or not talks
        if not talks or self.attacker is None:
            return
        asked = [talk.answered_with(strategies.to_attacker(talk.goal, talk.said)) for talk in talks]
        for talk, row in zip(talks, self.attacker.answer(asked), strict=True):
            talk.last = row
            text, talk.missing = row["text"].strip(), row["missing"]
            if not text and (not talk.missing or remote.WITHOUT_TEXT in talk.missing):
                talk.missing = "The attacker model wrote nothing."
            if not talk.missing:
                talk.said.append({"role": "user", "content": text})

    def _reply(self, talks: Sequence[_Talk]) -> None:
        self._last_reply(talks)
        for talk in talks:
            assert talk.last is not None
            if not talk.missing:
                talk.said.append({"role": "assistant", "content": talk.last["text"]})

    def _last_reply(self, talks: Sequence[_Talk]) -> None:
        if not talks:
            return
        asked = [talk.answered_with(talk.said) for talk in talks]
        for talk, row in zip(talks, self.target.answer(asked), strict=True):
            talk.last, talk.missing = row, row["missing"]
