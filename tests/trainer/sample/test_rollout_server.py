"""Rollouts from a vLLM server: a stub speaks its protocol and answers with the loaded adapter."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from tests.http_stub import Quiet, serving
from tests.trainer.ppo import models
from training.trainer.sample import fixed_cache, rollout_server
from training.trainer.sample.rollout_server import RolloutServer


class Stub(Quiet, BaseHTTPRequestHandler):
    """What `vllm serve --enable-lora` answers, as far as we ask it."""

    adapters: dict[str, str] = {}
    asked: list[dict[str, Any]] = []
    refuses = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refuses:
            self.reply(400, json.dumps({"error": {"message": "max_loras is reached", "code": 400}}))
        elif self.path == "/v1/load_lora_adapter":
            self.adapters[body["lora_name"]] = body["lora_path"]
            self.reply(200, f"Success: LoRA adapter '{body['lora_name']}' added successfully.")
        elif self.path == "/v1/unload_lora_adapter":
            del self.adapters[body["lora_name"]]
            self.reply(200, f"Success: LoRA adapter '{body['lora_name']}' removed successfully.")
        else:
            self.asked.append(body)
            self.reply(
                200, json.dumps({"object": "text_completion", "choices": self.completed(body)})
            )

    def completed(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        with torch.no_grad(), torch.random.fork_rng():
            model = PeftModel.from_pretrained(models.causal(), self.adapters[body["model"]]).eval()
            written = fixed_cache.responses(
                model,
                body["prompt"],
                max_new_tokens=body["max_tokens"],
                ends=frozenset(body["stop_token_ids"]),
                temperature=0,
            )
        return [
            {
                "index": index,
                "text": "",
                "token_ids": ids,
                "finish_reason": "stop" if ids[-1] == 2 else "length",
            }
            for index, ids in enumerate(written)
        ][::-1]

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, fresh in (("adapters", {}), ("asked", []), ("refuses", False)):
        monkeypatch.setattr(Stub, name, fresh)
    with serving(Stub) as address:
        yield address


def test_each_rollout_comes_from_the_adapter_as_it_then_is(url: str, tmp_path: Path) -> None:
    trainer = models.trainer(models.lora_models(), learning_rate=0.01, n_episodes=24)
    trainer.sampler.server = RolloutServer(url, tmp_path, "run-7")

    for report in trainer.steps():
        name, path = next(iter(Stub.adapters.items()))
        assert name == f"run-7-{report.step}"
        assert [folder.name for folder in tmp_path.iterdir()] == [name]
        assert Path(path) == tmp_path / name
        if report.step == 1:
            assert report.metrics["kl"] == 0.0

    last = [rollout.response_ids for rollout in trainer.sample(models.PROMPTS)]
    with torch.no_grad():
        ours = fixed_cache.responses(
            trainer.trained.policy,
            models.PROMPTS,
            max_new_tokens=6,
            ends=frozenset({2}),
            temperature=0,
        )
    assert last == ours
    assert [asked["model"] for asked in Stub.asked] == ["run-7-1", "run-7-2", "run-7-3", "run-7-4"]
    assert len({asked["seed"] for asked in Stub.asked}) == 4


def test_afterwards_nothing_is_left_with_the_server(url: str, tmp_path: Path) -> None:
    server = RolloutServer(url, tmp_path, "run-7")
    server.hand_over(models.lora_models().policy)

    server.forget()

    assert Stub.adapters == {}
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses_or_is_away_ends_the_run_with_a_sentence(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = models.lora_models().policy
    monkeypatch.setattr(Stub, "refuses", True)

    with pytest.raises(rollout_server.UnableToRollOut, match="max_loras is reached"):
        RolloutServer(url, tmp_path, "run-7").hand_over(policy)
    with pytest.raises(rollout_server.UnableToRollOut, match="does not answer"):
        RolloutServer("http://127.0.0.1:1", tmp_path, "run-7").hand_over(policy)


def test_full_fine_tuning_has_no_adapter_to_hand_over(tmp_path: Path) -> None:
    with pytest.raises(rollout_server.UnableToRollOut, match="Choose LoRA"):
        RolloutServer("http://127.0.0.1:1", tmp_path, "run-7").hand_over(models.causal())
