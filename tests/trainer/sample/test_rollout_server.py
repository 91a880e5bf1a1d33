"""Responses from a vLLM server, against a stub that checks TRL's and vLLM's protocol."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from tests.tooling.http_stub import serving
from tests.trainer import runs
from tests.trainer.ppo import models
from tests.trainer.sample import vllm_stub
from tests.trainer.sample.vllm_stub import Stub
from training.configs.online.grpo import GrpoConfig
from training.configs.online.rloo import RlooConfig
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.processes.launch import SERVER_CARDS
from training.processes.run_dir import Job, RunFolder
from training.trainer.ppo.roles import Roles
from training.trainer.sample import rollout_server
from training.trainer.sample.rollout_server import URL, UnableToRollOut

Serve = Callable[[nn.Module], type[Stub]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a server of a model, whose address the node names."""
    with ExitStack() as stack:

        def start(model: nn.Module) -> type[Stub]:
            stub = vllm_stub.install(monkeypatch, model)
            monkeypatch.setenv(URL, stack.enter_context(serving(stub)))
            return stub

        yield start


def job_of(model: Path | str = "") -> Job:
    return Job("ppo", 1, 1, {}, str(model), "")


@pytest.mark.parametrize("roles_of", [models.full_models, models.lora_models])
def test_each_rollout_of_ppo_comes_from_the_policy_as_it_then_is(
    roles_of: Callable[[], Roles], serve: Serve, tmp_path: Path
) -> None:
    stub = serve(models.causal(seed=5))
    trainer = models.trainer(roles_of(), learning_rate=0.01, n_episodes=24, top_p=0.01)
    before = [weight.clone() for weight in trainer.trained.policy.parameters()]
    folder = RunFolder(tmp_path, 1)
    with rollout_server.serving(
        job_of(), folder, dtype=torch.float32, max_tokens=64
    ) as trainer.sampler.server:
        trainer.sample(models.PROMPTS)
        unchanged = zip(before, trainer.trained.policy.parameters(), strict=True)
        assert all(torch.equal(one, other) for one, other in unchanged)

        for report in trainer.steps():
            if report.step == 1:
                assert report.metrics["kl"] == 0.0
        last = [rollout.response_ids for rollout in trainer.sample(models.PROMPTS)]

    for prompt, response in zip(models.PROMPTS, last, strict=True):
        assert below_best(trainer.trained.policy, prompt, response) < 1e-4
    assert stub.n_updates == len(stub.asked) == 5


def test_an_rloo_run_learns_from_the_servers_responses(
    serve: Serve, tmp_path: Path, taught_run: RunFolder, judging_run: RunFolder
) -> None:
    model = taught_run.path / "model"
    stub = serve(transformers.AutoModelForCausalLM.from_pretrained(model))
    config = RlooConfig(
        method="lora",
        max_steps=2,
        batch_size=2,
        accumulation=2,
        n_responses=2,
        max_new_tokens=8,
        max_prompt_tokens=56,
        dtype="float32",
    )

    folder = runs.finished(
        tmp_path / "run",
        "rloo",
        config,
        model,
        runs.demonstrations(tmp_path / "snapshot"),
        reward_model=judging_run.path / "model",
    )

    assert [(asked["n"], len(asked["prompt"])) for asked in stub.asked] == [
        (1, 8),  # held out, before
        (2, 2),
        (2, 2),
        (1, 8),
    ]
    saved = transformers.AutoModelForCausalLM.from_pretrained(folder.path / "model")
    for name, weight in saved.named_parameters():
        assert torch.equal(weight, dict(stub.model.named_parameters())[name]), name


@pytest.mark.parametrize("kind", ["rloo", "grpo"])
def test_groups_of_another_engine_are_weighed_unless_switched_off(
    kind: str, serve: Serve, tmp_path: Path, taught_run: RunFolder, judging_run: RunFolder
) -> None:
    model = taught_run.path / "model"
    stub = serve(transformers.AutoModelForCausalLM.from_pretrained(model))
    snapshot = runs.demonstrations(tmp_path / "snapshot")

    def carried_out(name: str, noise: float, *, is_corrected: bool) -> tuple[Any, list[Tensor]]:
        stub.noise = noise
        of_kind = {"rloo": RlooConfig, "grpo": GrpoConfig}[kind]
        config = of_kind(
            method="lora",
            max_steps=1,
            batch_size=4,
            accumulation=1,
            n_responses=4,
            max_new_tokens=6,
            max_prompt_tokens=56,
            max_held_out_rows=2,
            learning_rate=1e-2,
            dtype="float32",
            vllm_importance_sampling_correction=is_corrected,
        )
        folder = runs.finished(
            tmp_path / name, kind, config, model, snapshot, reward_model=judging_run.path / "model"
        )
        saved = transformers.AutoModelForCausalLM.from_pretrained(folder.path / "model")
        result = run_dir.read_result(folder.path)
        assert result is not None
        return result.metrics, list(saved.parameters())

    said_equal, equal = carried_out("equal", 0.0, is_corrected=True)
    said_off, off = carried_out("off", 0.0, is_corrected=False)
    said_apart, apart = carried_out("apart", 0.02, is_corrected=True)
    _said, uncorrected = carried_out("uncorrected", 0.02, is_corrected=False)

    assert said_equal["importance_ratio"] == pytest.approx(1, abs=1e-4)
    assert said_equal["importance_capped"] == 0.0
    assert "importance_ratio" not in said_off
    assert abs(said_apart["importance_ratio"] - 1) > 1e-3
    for ours, theirs in zip(equal, off, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    assert not all(map(torch.equal, apart, uncorrected))


def test_an_own_server_that_reports_other_probabilities_is_warned_of(
    serve: Serve, tmp_path: Path
) -> None:
    serve(models.causal()).logprobs_mode = "raw_logprobs"
    folder = runs.prepare(tmp_path / "run", "sample", SampleConfig(), "model", tmp_path)

    with rollout_server.serving(job_of(), folder, dtype=torch.float32, max_tokens=64):
        pass

    assert "--logprobs-mode raw_logprobs" in runs.notes(folder)


def test_a_sample_run_writes_what_the_server_answers(
    serve: Serve, tmp_path: Path, taught_run: RunFolder
) -> None:
    """Of the most likely token alone, that is what it would have written itself."""
    model = taught_run.path / "model"
    config = SampleConfig(
        n_responses=2,
        top_p=0.01,
        max_new_tokens=8,
        batch_size=4,
        max_prompt_tokens=64,
        dtype="float32",
    )
    snapshot = runs.prompts(tmp_path / "snapshot", n=3)
    alone = runs.finished(tmp_path / "alone", "sample", config, model, snapshot)
    stub = serve(transformers.AutoModelForCausalLM.from_pretrained(model))

    served = runs.finished(tmp_path / "served", "sample", config, model, snapshot)

    assert rows(served) == rows(alone)
    assert [asked["n"] for asked in stub.asked] == [2, 2]
    assert stub.n_updates == 1


def test_a_server_that_refuses_ends_the_run_with_a_sentence(serve: Serve, tmp_path: Path) -> None:
    stub = serve(models.causal())
    stub.refuses = "/v1/completions"
    folder = RunFolder(tmp_path, 1)

    with rollout_server.serving(job_of(), folder, dtype=torch.float32, max_tokens=64) as server:
        assert server is not None
        with pytest.raises(UnableToRollOut, match=r"refused /v1/completions \(400\).*memory"):
            server.drawn([[3]], max_new_tokens=4, ends={2}, temperature=1.0, top_p=1.0)


def test_a_node_without_vllm_writes_the_responses_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(SERVER_CARDS, "1")
    folder = runs.prepare(tmp_path / "run", "sample", SampleConfig(), "model", tmp_path)

    with rollout_server.serving(job_of(), folder, dtype=torch.float32, max_tokens=64) as server:
        assert server is None

    assert "vLLM is not installed on this node" in runs.notes(folder)


VLLM = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        config = {"weight_transfer_config": {"backend": "nccl"}}
        found = {"data": [{"id": "m"}], "vllm_config": config, "world_size": 1}
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps(found).encode())
    do_POST = do_GET

with open(os.environ["TOLD"], "w") as file:
    json.dump({"argv": sys.argv[1:], "pid": os.getpid(), "env": dict(os.environ)}, file)
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Server).serve_forever()
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Any]:
    """A vLLM that only starts. What its command was told."""
    vllm_stub.install(monkeypatch, models.causal())
    for name in ("vllm", "vllm/entrypoints", "vllm/entrypoints/cli"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "vllm/entrypoints/cli/main.py").write_text(VLLM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TOLD", str(tmp_path / "told.json"))
    return lambda: json.loads((tmp_path / "told.json").read_text())


def driver(path: Path, monkeypatch: pytest.MonkeyPatch, *cards: str, mib: int) -> None:
    """An nvidia-smi that lists these cards."""
    path.mkdir()
    rows = [f"{n}, {card}, H, {mib}, 0, 0, 30" for n, card in enumerate(cards)]
    (path / "nvidia-smi").write_text("\n".join(["#!/bin/sh", *[f"echo '{row}'" for row in rows]]))
    (path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")


@pytest.mark.parametrize(("mib", "copies", "cards_each"), [(81920, "2", "1"), (1400, "1", "2")])
def test_the_run_starts_a_server_on_its_other_cards_and_ends_it(
    mib: int,
    copies: str,
    cards_each: str,
    told: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """With a copy of the model on each, unless it is too large for one."""
    driver(tmp_path / "bin", monkeypatch, "GPU-a", "GPU-b", "GPU-c", mib=mib)
    model = str(tmp_path / "model")
    models.llama_config(vocab_size=3_000_000).save_pretrained(model)
    monkeypatch.setenv(SERVER_CARDS, "GPU-b,GPU-c")
    monkeypatch.setenv("WORLD_SIZE", "1")
    folder = RunFolder(tmp_path / "run", 1)

    with rollout_server.serving(
        job_of(model), folder, dtype=torch.float32, max_tokens=64
    ) as server:
        assert server is not None
        assert server.client is not None
        assert is_alive(told()["pid"])

    argv, env = told()["argv"], told()["env"]
    assert argv[:2] == ["serve", model]
    assert argv[argv.index("--data-parallel-size") + 1] == copies
    assert argv[argv.index("--tensor-parallel-size") + 1] == cards_each
    assert argv[argv.index("--api-server-count") + 1] == "1"
    assert argv[argv.index("--max-model-len") + 1] == "64"
    assert argv[argv.index("--weight-transfer-config") + 1] == '{"backend": "nccl"}'
    assert env["CUDA_VISIBLE_DEVICES"] == "GPU-b,GPU-c"
    assert env["VLLM_SERVER_DEV_MODE"] == "1"
    assert "WORLD_SIZE" not in env
    assert not is_alive(told()["pid"])


def test_a_server_that_does_not_start_ends_the_run_with_a_sentence(
    told: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    models.llama_config().save_pretrained(tmp_path / "model")
    monkeypatch.setenv(SERVER_CARDS, "GPU-b")
    monkeypatch.setenv("TOLD", str(tmp_path / "no" / "folder"))
    job, folder = job_of(tmp_path / "model"), RunFolder(tmp_path / "run", 1)

    with (
        pytest.raises(UnableToRollOut, match="vLLM did not start"),
        rollout_server.serving(job, folder, dtype=torch.float32, max_tokens=64),
    ):
        pass


def test_a_model_that_its_cards_cannot_hold_ends_the_run_with_a_sentence(
    told: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Three cards divide a model of four heads in no way."""
    models.llama_config(vocab_size=3_000_000).save_pretrained(tmp_path / "model")
    driver(tmp_path / "bin", monkeypatch, "GPU-a", "GPU-b", "GPU-c", mib=1300)
    monkeypatch.setenv(SERVER_CARDS, "GPU-a,GPU-b,GPU-c")
    job, folder = job_of(tmp_path / "model"), RunFolder(tmp_path / "run", 1)

    with (
        pytest.raises(
            UnableToRollOut, match=r"can divide the model among 1 of them \(4 attention heads"
        ),
        rollout_server.serving(job, folder, dtype=torch.float32, max_tokens=64),
    ):
        pass
    assert not (tmp_path / "told.json").exists()


@torch.no_grad()
def below_best(policy: nn.Module, prompt: list[int], response: list[int]) -> float:
    """How far the logit of any token of the response is below the most likely token's. Two tokens
    as good as equally likely may be swapped by rounding, which differs between processors.
    """
    logits = policy(input_ids=torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1]
    written = logits.gather(1, torch.tensor(response)[:, None])
    return float((logits.max(1, keepdim=True).values - written).max())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def rows(folder: RunFolder) -> list[dict[str, Any]]:
    return list(run_dir.read_lines(folder.path / run_dir.RESPONSES))
