"""The vLLM server that writes a run's responses: started on the GPUs that the run asked for beyond
its processes, given the policy's weights over NCCL before each rollout, and asked for token ids.
Server, protocol and client are those that TRL uses.
"""

import contextlib
import math
import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import requests
import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from transformers import AutoConfig
from trl.generation.vllm_client import VLLMClient
from trl.import_utils import is_vllm_available
from trl.scripts import vllm_serve

from training.configs.cost import estimates
from training.configs.cost.replicas import Replicas, UnableToReplicate, replicas
from training.processes import linux, machine
from training.processes.launch import SERVER_CARDS
from training.processes.run_dir import AnticipatedFailure, Job, RunFolder
from training.trainer import parallel
from training.trainer.modeling import loading, rounding, sharding

URL = "PREFERABLY_ROLLOUT_URL"
START_S = 900
"""A large model is loaded and compiled for minutes."""
# What the launcher of several processes has set. vLLM would take them for its own.
_LAUNCHER = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_",
    "GROUP_",
    "ROLE_",
    "MASTER_",
    "TORCHELASTIC_",
    "ACCELERATE_",
    "FSDP_",
)


# Log-probabilities after temperature and top-p, as the policy's are measured.
_PROCESSED = "processed_logprobs"

Drawn = tuple[list[int], list[float] | None]
"""The token ids of a response, and the log-probability of each if asked for."""


class UnableToRollOut(AnticipatedFailure):
    """The server can't write responses."""


class _Client(VLLMClient):
    """TRL's client, whose failures are sentences."""

    def _post(self, url: str, **kwargs: Any) -> Any:
        try:
            answer = self.session.post(url, **kwargs)
        except requests.RequestException as error:
            raise UnableToRollOut(
                f"The rollout server {self.base_url} does not answer: {error}. Retry the run."
            ) from error
        if answer.status_code != requests.codes.ok:
            path = url.removeprefix(self.base_url)
            raise UnableToRollOut(
                f"The rollout server refused {path} ({answer.status_code}): {answer.text[:300]}"
            )
        return answer.json()


class RolloutServer:
    """The first process talks to the server (`client`); the others give it their prompts, and their
    shards of the weights. So its methods are collective calls.
    """

    def __init__(self, client: VLLMClient | None, rank: int, dtype: torch.dtype) -> None:
        self.client, self.rank, self.dtype = client, rank, dtype

    def take(self, model: nn.Module) -> None:
        """The server's weights become the model's, its adapters merged in."""
        sharding.reshard(model)
        weights = list(_weights(model))
        whole = ((name, self._whole(name, weight, layer)) for name, weight, layer in weights)
        if self.client is None:
            for _one in whole:  # gathering each takes every process
                pass
            return
        dtype = str(self.dtype).removeprefix("torch.")
        shapes = [(name, dtype, list(weight.shape)) for name, weight, _layer in weights]
        self.client.update_named_params(shapes, whole)
        self.client.reset_prefix_cache()

    def drawn(
        self,
        prompts: Sequence[list[int]],
        *,
        max_new_tokens: int,
        ends: Collection[int],
        temperature: float,
        top_p: float,
        n_each: int = 1,
        seed: int | None = None,
        has_logprobs: bool = False,
    ) -> list[Drawn]:
        """A response to each prompt as token ids, including the end of turn, if any. Each prompt
        comes `n_each` times in a row. With `seed`, a server that has done the same before writes
        the same.
        """
        parts = parallel.gathered({self.rank: list(prompts)})
        every = [prompt for part in parts for prompt in part]
        written: list[Drawn] = []
        if self.client is not None and every:
            answer = self.client.generate(
                every[::n_each],
                n=n_each,
                max_tokens=max_new_tokens,
                temperature=temperature,
                top_p=top_p,
                logprobs=0 if has_logprobs else None,  # of the token alone
                generation_kwargs={"stop_token_ids": sorted(ends), "seed": seed},
            )
            written = _paired(answer, len(every), has_logprobs=has_logprobs)
        written = parallel.gathered({self.rank: written})[0]
        before = sum(len(part) for part in parts[: self.rank])
        return written[before : before + len(prompts)]

    @torch.no_grad()
    def _whole(self, name: str, weight: Tensor, layer: Any) -> Tensor:
        """As it is saved. Merged here and not in the model, whose weights would then be rounded
        twice at each rollout.
        """
        whole = sharding.gathered(weight)
        if layer is None:
            return whole.to(self.dtype)
        adapter = layer.active_adapters[0]
        a, b = (
            sharding.gathered(part[adapter].weight).float() for part in (layer.lora_A, layer.lora_B)
        )
        change = layer.scaling[adapter] * (b @ a)
        merged = whole.float() + (change.T if layer.fan_in_fan_out else change)
        if self.dtype == torch.bfloat16:
            merged = rounding.rounded(merged, name)
        return merged.to(self.dtype)


def _paired(answer: dict[str, Any], n_prompts: int, *, has_logprobs: bool) -> list[Drawn]:
    """The log-probability of a token is NaN where the server does not know it."""
    responses: list[list[int]] = answer["completion_ids"]
    if len(responses) != n_prompts or not all(responses):
        raise UnableToRollOut(
            f"The rollout server answered {sum(map(bool, responses))} of {n_prompts} prompts"
            " with token ids."
        )
    if not has_logprobs:
        return [(ids, None) for ids in responses]
    logprobs = [
        [math.nan if token[0] is None else float(token[0]) for token in response]
        for response in answer["logprobs"] or []
    ]
    if [*map(len, logprobs)] != [*map(len, responses)]:
        raise UnableToRollOut(
            "The rollout server does not say how likely its tokens were. Start it with"
            f" `--logprobs-mode {_PROCESSED}`, or switch off the correction for the server."
        )
    return [*zip(responses, logprobs, strict=True)]


def _weights(model: nn.Module) -> Iterator[tuple[str, Tensor, object]]:
    """(name in the base model, weight, the layer whose adapter changes it). Tied ones once."""
    bare = loading.bare(model)
    adapted = {name: m for name, m in bare.named_modules() if isinstance(m, LoraLayer)}
    for name, weight in bare.named_parameters():
        if ".lora_" in name:
            continue
        layer = adapted.get(name.removesuffix(".base_layer.weight"))
        yield name.replace(".base_layer.", "."), weight, layer


@contextlib.contextmanager
def serving(
    job: Job, folder: RunFolder, *, dtype: torch.dtype, max_tokens: int
) -> Iterator[RolloutServer | None]:
    """The run's server, which is gone afterwards; None if the run writes its responses itself.

    The operator's own, if the node names one, or one on the run's GPUs that no process trains on.
    """
    url, cards = os.environ.get(URL, ""), os.environ.get(SERVER_CARDS, "")
    if not (url or cards):
        yield None
        return
    if not is_vllm_available():
        if not folder.rank:
            folder.append_note(
                "vLLM is not installed on this node, so the run writes its responses itself."
            )
        yield None
        return
    with contextlib.ExitStack() as stack:
        client = None
        if not folder.rank:
            started = contextlib.nullcontext() if url else _started(job.model, cards, max_tokens)
            client = stack.enter_context(started) or _Client(url, group_port=_free_port())
            if url:
                _note_raw_logprobs(client, folder)
            client.init_communicator("cuda")
            stack.callback(client.close_communicator)
        yield RolloutServer(client, folder.rank, dtype)


def _note_raw_logprobs(client: VLLMClient, folder: RunFolder) -> None:
    """TRL's option for the server, which we give to those that we start."""
    mode = client.get_server_info().get("model_config", {}).get("logprobs_mode", _PROCESSED)
    if mode != _PROCESSED:
        folder.append_note(
            f"Warning: the rollout server runs with `--logprobs-mode {mode}`. At a temperature or"
            " top-p other than 1, the correction for the server is wrong. Start it with"
            f" {_PROCESSED}."
        )


@contextlib.contextmanager
def _started(model: str, cards: str, max_tokens: int) -> Iterator[VLLMClient]:
    """vLLM's own server with TRL's options. One process of it answers, and divides prompts among
    the copies.
    """
    port, shared = _free_port(), _replicas(model, cards, max_tokens)
    command = vllm_serve.build_command(
        vllm_serve.ScriptArguments(
            model=model,
            host="127.0.0.1",
            port=port,
            tensor_parallel_size=shared.cards_each,
            data_parallel_size=shared.n_copies,
            max_model_len=max_tokens,
            log_level="warning",
        ),
        ["--api-server-count", "1"],
    )
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_LAUNCHER)}
    process = subprocess.Popen(  # noqa: S603  # TRL's command, with the run's model
        command,
        env=inherited | {"CUDA_VISIBLE_DEVICES": cards, "VLLM_SERVER_DEV_MODE": "1"},
        preexec_fn=lambda: linux.die_with_parent(signal.SIGKILL),
    )
    try:
        yield _answering(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


def _replicas(model: str, cards: str, max_tokens: int) -> Replicas:
    """Of this model on the smallest of these cards."""
    sizes = [gpu.memory_gb for gpu in machine.gpus(visible=cards)]
    shape = estimates.shape_of(AutoConfig.from_pretrained(model).to_dict())
    try:
        return replicas(
            shape,
            n_cards=len(cards.split(",")),
            card_gb=min(sizes, default=0),
            max_tokens=max_tokens,
        )
    except UnableToReplicate as problem:
        raise UnableToRollOut(str(problem)) from problem


def _answering(process: "subprocess.Popen[bytes]", url: str) -> VLLMClient:
    """A client of the server, once it answers."""
    ends_at = time.monotonic() + START_S
    while time.monotonic() < ends_at and process.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            return _Client(url, group_port=_free_port())
        time.sleep(1)
    raise UnableToRollOut(
        "vLLM did not start; the run's log says why. Ask for as many GPUs as processes to do"
        " without it."
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
