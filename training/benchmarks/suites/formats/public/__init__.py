"""Readers of public benchmark files: each gives rows in the fields of items.jsonl, and what
suite.yaml would say of them. Licence and version are asked on the form, since the files have none.
"""

from collections.abc import Mapping

from training.benchmarks.suites.formats.public import (
    attack_goals,
    mt_bench,
    reward_bench,
    safety_prompts,
    truthful_qa,
)
from training.benchmarks.suites.formats.public.tables import PublicFormat, Table, table_of

READERS: Mapping[str, PublicFormat] = {
    "xstest": safety_prompts.XSTEST,
    "simple-safety-tests": safety_prompts.SIMPLE_SAFETY_TESTS,
    "llmbar": reward_bench.LLMBAR,
    "rewardbench-2": reward_bench.REWARDBENCH_2,
    "rewardbench": reward_bench.REWARDBENCH,
    "mt-bench": mt_bench.MT_BENCH,
    "truthfulqa": truthful_qa.TRUTHFULQA,
    "truthfulqa-mc": truthful_qa.TRUTHFULQA_MC,
    "do-not-answer": attack_goals.DO_NOT_ANSWER,
    "pyrit-objectives": attack_goals.PYRIT,
    "goals": attack_goals.LINES,
}
UNKNOWN = "suite"


def shape_of(content: bytes) -> str:
    """The name of the reader whose columns the file's first record has; UNKNOWN if none."""
    first: Table = table_of(content, None, most=1)
    for name, reader in READERS.items():
        if any(reader.is_like(row.fields) for row in first):
            return name
    return UNKNOWN
