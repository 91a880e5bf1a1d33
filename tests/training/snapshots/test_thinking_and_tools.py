"""A dataset of tool calls and thinking, once through: frozen, trained on, rewarded, sampled."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.conf import LazySettings

from accounts.models import User
from arithmetic.chats import ToolCall
from labeling.models import (
    Comparison,
    Demonstration,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
)
from tests.cast import NOON, responses_to, some_prompts
from tests.trainer import runs, tiny
from training.configs.offline.dpo import DpoConfig
from training.configs.online.grpo import GrpoConfig
from training.configs.reward import RewardConfig
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig
from training.models import Snapshot
from training.processes import run_dir
from training.snapshots import downloads
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters
from training.trainer import data
from training.trainer.modeling import loading

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing. is deprecated:FutureWarning"),
]
TOOLS = [{"type": "function", "function": {"name": "sky", "parameters": {"type": "object"}}}]
COMMON: dict[str, Any] = {"method": "full", "dtype": "float32", "checkpoint_every": 0}
FITTING: dict[str, Any] = {**COMMON, "batch_size": 2, "accumulation": 1, "max_tokens": 700}
TEACHING = SftConfig(**FITTING, n_epochs=60, learning_rate=5e-3)
"""Enough for the tiny model to say what it was taught."""
JUDGING = RewardConfig(**FITTING, n_epochs=12, learning_rate=5e-3)
REWARDING = GrpoConfig(
    **COMMON,
    n_responses=4,
    batch_size=4,
    accumulation=1,
    max_new_tokens=96,
    max_prompt_tokens=700,
    max_steps=1,
)
SAMPLING = SampleConfig(n_responses=1, temperature=0.0, max_new_tokens=96, dtype="float32")


def call(city: str) -> ToolCall:
    function: Any = {"name": "sky", "arguments": {"city": city}}
    return {"id": "call_0", "type": "function", "function": function}


@pytest.fixture
def cut(noor: User, settings: LazySettings) -> Callable[[str], Path]:
    def make(kind: str) -> Path:
        snapshot = snapshots_services.create_snapshot(
            kind=kind, name=kind, filters=Filters(), by=noor, now=NOON
        )
        return Path(settings.SNAPSHOTS_DIR) / snapshot.folder

    return make


@pytest.fixture
def prompts() -> list[Prompt]:
    made = some_prompts(8)
    Prompt.objects.update(split="train", tools=TOOLS)
    Prompt.objects.filter(pk__in=[prompt.pk for prompt in made[6:]]).update(split="validation")
    return list(Prompt.objects.order_by("pk"))


@pytest.fixture
def demonstrated(prompts: list[Prompt], rosa: Rater) -> None:
    for prompt in prompts:
        judgment = Judgment.of_people.create(
            kind="demonstration", rater=rosa, prompt=prompt, submitted_at=NOON
        )
        Demonstration.objects.create(
            judgment=judgment,
            text="I look.",
            reasoning_content="Nobody told me.",
            tool_calls=[call("Oslo")],
        )


@pytest.fixture
def compared(prompts: list[Prompt], rosa: Rater) -> None:
    """The answers of each prompt have no text, and differ in their calls alone."""
    for prompt in prompts:
        judgment = Judgment.of_people.create(
            kind="comparison", rater=rosa, prompt=prompt, submitted_at=NOON
        )
        comparison = Comparison.objects.create(judgment=judgment)
        for place, response in enumerate(responses_to([prompt], n=2)):
            Response.objects.filter(pk=response.pk).update(
                text="", tool_calls=[call("Oslo" if place else "Rome")], reasoning_content="Hm."
            )
            RankedResponse.objects.create(
                comparison=comparison, response=response, position=place, rank=place + 1
            )


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


def test_rows_have_the_parts_of_prompts_and_answers(
    cut: Callable[[str], Path], demonstrated: None, compared: None
) -> None:
    (demonstration, *_more), (comparison, *_rest) = (
        lines(cut("demonstrations")),
        lines(cut("comparisons")),
    )

    assert demonstration["tools"] == comparison["tools"] == TOOLS
    assert demonstration["completion"] == [
        {
            "role": "assistant",
            "content": "I look.",
            "reasoning_content": "Nobody told me.",
            "tool_calls": [call("Oslo")],
        }
    ]
    assert [row["tool_calls"] for row in comparison["responses"]] == [
        [call("Rome")],
        [call("Oslo")],
    ]
    assert {row["reasoning_content"] for row in comparison["responses"]} == {"Hm."}


def test_a_row_without_such_parts_has_no_key_for_them(
    cut: Callable[[str], Path], rosa: Rater
) -> None:
    (prompt,) = some_prompts(1)
    judgment = Judgment.of_people.create(
        kind="demonstration", rater=rosa, prompt=prompt, submitted_at=NOON
    )
    Demonstration.objects.create(judgment=judgment, text="Yes.")

    (row,) = lines(cut("demonstrations"))

    assert row["completion"] == [{"role": "assistant", "content": "Yes."}]
    assert "tools" not in row
    assert Snapshot.objects.get().n_rows == 1


def test_parquet_has_tools_and_calls_as_json(
    cut: Callable[[str], Path], demonstrated: None, tmp_path: Path
) -> None:
    with (tmp_path / "rows.parquet").open("wb") as file:
        downloads.write_parquet(lines(cut("demonstrations")), kind="demonstrations", to=file)

    row = pq.read_table(tmp_path / "rows.parquet").to_pylist()[0]
    assert json.loads(row["tools"]) == TOOLS
    (answer,) = json.loads(row["parts"])["completion"]
    assert row["completion"] == [{"role": "assistant", "content": "I look."}]
    assert (answer["tool_calls"], answer["reasoning_content"]) == (
        [call("Oslo")],
        "Nobody told me.",
    )


@pytest.mark.slow
def test_tool_calls_and_thinking_go_through_every_kind_of_run(
    cut: Callable[[str], Path], demonstrated: None, compared: None, tmp_path: Path
) -> None:
    base = tiny.build_tiny_model(tmp_path / "base", template=tiny.THINKING_TEMPLATE)

    taught = runs.finished(tmp_path / "sft", "sft", TEACHING, base, cut("demonstrations"))
    policy = taught.path / "model"
    judging = runs.finished(tmp_path / "reward", "reward", JUDGING, base, cut("comparisons"))
    preferring = runs.finished(
        tmp_path / "dpo",
        "dpo",
        DpoConfig(**FITTING, n_epochs=4, learning_rate=1e-3),
        base,
        cut("comparisons"),
    )
    rewarded = runs.finished(
        tmp_path / "grpo",
        "grpo",
        REWARDING,
        policy,
        cut("prompts"),
        reward_model=judging.path / "model",
    )
    sampled = runs.finished(
        tmp_path / "sample",
        "sample",
        SAMPLING,
        policy,
        cut("prompts"),
        reward_model=judging.path / "model",
    )

    for folder in (taught, judging, preferring, rewarded, sampled):
        assert "the tools are in the system message" in runs.notes(folder)
    for folder in (taught, judging, preferring):
        assert "calls of tools are in the text" in runs.notes(folder)
    responses = list(run_dir.read_lines(sampled.path / run_dir.RESPONSES))
    assert {row["reasoning_content"] for row in responses} == {"Nobody told me."}
    assert {row["text"] for row in responses} == {"I look."}
    assert [row["tool_calls"] for row in responses] == [[call("Oslo")]] * len(responses)
    assert all("score" in row for row in responses)
    assert metrics_of(judging)["held_out_accuracy_after"] == 1.0
    assert metrics_of(preferring)["held_out_accuracy_after"] == 1.0
    tokenizer = loading.load_tokenizer(str(policy))
    (example,) = data.demonstrations(tokenizer, lines(cut("demonstrations"))[:1], 700).examples
    learned = str(tokenizer.decode([t for t in example.labels if t != data.IGNORED]))
    assert learned.startswith("Nobody told me.\n</think>\n\nI look.\n<tool_call>")


def metrics_of(folder: run_dir.RunFolder) -> dict[str, Any]:
    result = run_dir.read_result(folder.path)
    assert result is not None
    return dict(result.metrics)
