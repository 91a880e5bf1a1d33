"""LLMBar and RewardBench: responses of which one is better."""

from training.benchmarks.suites.formats.public.tables import (
    Fields,
    PublicFormat,
    key,
    maybe,
    text,
)


def _llmbar(fields: Fields, number: int) -> Fields:
    """`label` is 1 or 2: the number of the better output."""
    label = int(fields["label"])
    if label not in (1, 2):
        raise ValueError(label)
    return {
        "id": key(fields, number, "id"),
        "prompt": text(fields, "input"),
        "better": text(fields, f"output_{label}"),
        "worse": text(fields, f"output_{3 - label}"),
    }


def _pair(fields: Fields, number: int) -> Fields:
    return maybe(category=fields.get("subset")) | {
        "id": key(fields, number, "id"),
        "prompt": fields["prompt"],
        "better": text(fields, "chosen"),
        "worse": text(fields, "rejected"),
    }


def _best_of_k(fields: Fields, number: int) -> Fields:
    """The chosen responses come first: models see one at a time, so their places tell nothing."""
    chosen, rejected = list(fields["chosen"]), list(fields["rejected"])
    return maybe(category=fields.get("subset")) | {
        "id": key(fields, number, "id"),
        "prompt": fields["prompt"],
        "responses": chosen + rejected,
        "best": list(range(len(chosen))),
    }


LLMBAR = PublicFormat(
    title="LLMBar",
    columns=frozenset({"input", "output_1", "output_2", "label"}),
    about={
        "id": "llmbar",
        "name": "LLMBar",
        "kind": "pairs",
        "area": "reward",
        "scorer": "preferred",
        "source": "https://github.com/princeton-nlp/LLMBar",
    },
    item=_llmbar,
)
REWARDBENCH = PublicFormat(
    title="RewardBench",
    columns=frozenset({"prompt", "chosen", "rejected"}),
    about={
        "id": "rewardbench",
        "name": "RewardBench",
        "kind": "pairs",
        "area": "reward",
        "scorer": "preferred",
        "source": "https://github.com/allenai/reward-bench",
    },
    item=_pair,
    fits=lambda fields: isinstance(fields["chosen"], str),
)
REWARDBENCH_2 = PublicFormat(
    title="RewardBench 2",
    columns=frozenset({"prompt", "chosen", "rejected"}),
    about={
        "id": "rewardbench-2",
        "name": "RewardBench 2",
        "kind": "best-of-k",
        "area": "reward",
        "scorer": "best_of_k",
        "source": "https://github.com/allenai/reward-bench",
    },
    item=_best_of_k,
    fits=lambda fields: isinstance(fields["chosen"], list),
)
