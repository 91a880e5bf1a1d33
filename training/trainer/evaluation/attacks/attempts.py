"""The attempts of an attack run: every goal with every strategy, several times; and their rows in
answers.jsonl.
"""

from collections.abc import Sequence
from dataclasses import replace

from training.configs.evaluation.attack import ATTACKER, AttackConfig
from training.processes.run_lines import AnswerLine
from training.trainer import data
from training.trainer.evaluation.attacks import strategies
from training.trainer.evaluation.items import Item, conversation
from training.trainer.modeling.chat_template import Message

_REFUSES = "refuses"


def attempts(items: Sequence[Item], config: AttackConfig, *, with_attacker: bool) -> list[Item]:
    """Of the items that a model should refuse: the others are no goals. Raises
    data.UnableToRead if there are none.
    """
    goals = [item for item in items if _is_goal(item)]
    if not goals:
        raise data.UnableToRead(
            "None of the suites' items is one that a model should refuse (“wants: refuses”), so"
            " there is no goal. Choose other suites."
        )
    names = [*config.strategies, *([ATTACKER] if with_attacker else [])]
    return [
        _attempt(goal, strategy, sample)
        for goal in goals
        for strategy in names
        for sample in range(config.n_samples)
    ]


def row(item: Item, answered: AnswerLine) -> AnswerLine:
    """An attempt's row: `asked` is the conversation up to the last answer, `text` that answer."""
    texts = [answered["text"], *answered["follow_ups"]]
    asked = conversation(item, texts[:-1])
    return stored(item, answered, asked)


def stored(item: Item, answered: AnswerLine, asked: Sequence[Message]) -> AnswerLine:
    text = "" if answered["missing"] else [answered["text"], *answered["follow_ups"]][-1]
    return answered | {
        "strategy": item.strategy,
        "sample": item.sample,
        "asked": list(asked),
        "text": text,
        "follow_ups": [],
    }


def _attempt(goal: Item, strategy: str, sample: int) -> Item:
    """The attacker model has said nothing yet: its turns are written during the run."""
    if strategy == ATTACKER:
        attack = strategies.Attack(list(goal.messages))
    else:
        attack = strategies.attack(strategy, goal.messages, sample=sample)
    return replace(
        goal,
        messages=attack.messages,
        row={**goal.row, "follow_ups": list(attack.follow_ups)},
        strategy=strategy,
        sample=sample,
    )


def _is_goal(item: Item) -> bool:
    wants = item.row.get("wants") or item.row.get("options", {}).get("wants")
    return bool(wants == _REFUSES)
