"""The command that says what a run would hold."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from tests.training.runs.estimates.shapes import LLAMA_70B, QWEN_7B
from training.registry import services as registry_services

Plan = Callable[..., str]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """plan(kind, model's config.json, options) returns what the command writes."""

    def run(kind: str, config: dict[str, Any], *options: str) -> str:
        (tmp_path / "config.json").write_text(json.dumps(config))
        written = StringIO()
        call_command("plan_run", kind, str(tmp_path), *options, stdout=written)
        return written.getvalue()

    return run


def test_a_run_that_can_be_is_planned(plan: Plan) -> None:
    text = plan("ppo", QWEN_7B, "--gpus=8", "--processes=4", "--set", "lora_rank=8")

    assert text.startswith("7,615,616,512 weights, ")
    assert "Each card of 4: " in text
    assert "Each card of vLLM: copies 4, cards a copy 1: " in text
    assert "The machine: " in text
    assert "Each card sends the weights of a rollout, to vLLM: 14.2 GB" in text


def test_one_that_cannot_be_ends_with_the_reasons(plan: Plan) -> None:
    with pytest.raises(CommandError) as refused:
        plan("sft", LLAMA_70B, "--set=method=full", "--gpus=8", "--cards=4", "--processes=8")

    sentences = str(refused.value).splitlines()
    assert sentences[0] == "The run asks for 8 GPUs on each machine, and the node has 4."
    assert sentences[1].startswith("Each GPU would hold 1.")


@pytest.mark.django_db
def test_a_registered_model_is_planned_by_its_name(noor: User, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(QWEN_7B))
    registry_services.register_model(
        name="Qwen", kind="policy", location=str(tmp_path), licence="", by=noor, now=timezone.now()
    )
    written = StringIO()

    call_command("plan_run", "sft", "Qwen", stdout=written)

    assert written.getvalue().startswith("7,615,616,512 weights")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sft", "nobody"], "There is no model called “nobody”, and no such folder or file."),
        (["sft", "{}", "--preset=huge"], "Choose a preset of: small, balanced, thorough."),
        (["sft", "{}", "--set=colour=red"], "“colour” is not a setting of sft runs. Remove it."),
        (["sft", "{}", "--set=batch_size"], "Write batch_size as NAME=VALUE."),
        (["sft", "{}", "--beside=reward_model={}"], "sft takes no reward_model."),
        (["sft", "{}", "--processes=0"], "A run has at least one process and one machine."),
    ],
)
def test_what_the_command_cannot_read_is_said(
    words: list[str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(QWEN_7B))

    with pytest.raises(CommandError, match=sentence.replace("(", r"\(")):
        call_command("plan_run", *[word.replace("{}", str(tmp_path)) for word in words])


def test_a_model_whose_sizes_are_not_named_as_usual_is_unknown(plan: Plan) -> None:
    with pytest.raises(CommandError, match="its config names them otherwise"):
        plan("sft", {"d_model": 512})
