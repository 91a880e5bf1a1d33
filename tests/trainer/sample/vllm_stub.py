"""vLLM as far as TRL's client needs it: its HTTP protocol, checked strictly, and in place of NCCL a
queue. The fields and types are those of vLLM 0.31, the newest that TRL 1.16 supports.
"""

import json
import queue
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from trl.generation import vllm_client

from tests.tooling.http_stub import Quiet
from training.trainer.sample import fixed_cache, rollout_server

Fields = dict[str, tuple[type, ...]]

# vllm/entrypoints/openai/completion/protocol.py: the fields that a run may send
COMPLETION: Fields = {
    "model": (str,),
    "prompt": (list,),
    "n": (int,),
    "max_tokens": (int,),
    "temperature": (float, int),
    "top_p": (float, int),
    "top_k": (int,),
    "min_p": (float, int),
    "repetition_penalty": (float, int),
    "logprobs": (int, type(None)),
    "seed": (int, type(None)),
    "stop_token_ids": (list,),
    "return_token_ids": (bool,),
    "return_tokens_as_token_ids": (bool,),
}
# vllm/distributed/weight_transfer/nccl_common.py and nccl_engine.py
INIT: Fields = {
    "master_address": (str,),
    "master_port": (int,),
    "rank_offset": (int,),
    "world_size": (int,),
    "packed": (bool,),
}
UPDATE: Fields = {"names": (list,), "dtype_names": (list,), "shapes": (list,)}


class BadRequest(Exception):
    """vLLM would answer with an error."""


class Stub(Quiet, BaseHTTPRequestHandler):
    """`vllm serve MODEL --weight-transfer-config …` in dev mode, on one worker."""

    model: nn.Module
    group: "queue.Queue[tuple[str, Tensor]]"
    asked: list[dict[str, Any]]
    n_updates = 0
    is_updating = False
    refuses = ""
    logprobs_mode = "processed_logprobs"
    noise = 0.0
    """how far its weights lie from those that it was given: another engine's rounding, enlarged"""

    def do_GET(self) -> None:
        known: dict[str, dict[str, Any]] = {
            "/health": {},
            "/v1/models": {"object": "list", "data": [{"id": "served", "object": "model"}]},
            "/server_info?config_format=json": {
                "vllm_config": {
                    "weight_transfer_config": {"backend": "nccl"},
                    "model_config": {"logprobs_mode": self.logprobs_mode},
                }
            },
            "/get_world_size": {"world_size": 1},
        }
        self.reply(200 if self.path in known else 404, known.get(self.path, {}))

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"] or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        try:
            require(self.path != self.refuses, "out of memory")
            self.reply(200, self.answer(body))
        except BadRequest as error:
            self.reply(400, {"error": {"message": str(error), "code": 400}})

    def answer(self, body: Any) -> dict[str, Any]:
        stub = type(self)
        match self.path:
            case "/init_weight_transfer_engine":
                check(body["init_info"], INIT)
                require(body["init_info"]["world_size"] == 2, "trainer and one worker")
            case "/start_weight_update":
                require(body == {} and not stub.is_updating, "an update has begun")
                stub.is_updating = True
            case "/update_weights":
                require(stub.is_updating, "no update has begun")
                self.take(body["update_info"])
            case "/finish_weight_update":
                require(body == {} and stub.is_updating, "no update has begun")
                stub.is_updating = False
                stub.n_updates += 1
            case "/reset_prefix_cache":
                return {"success": True}
            case "/v1/completions":
                require(not stub.is_updating, "the weights are being updated")
                check(body, COMPLETION)
                stub.asked.append(body)
                return {"object": "text_completion", "choices": list(self.completed(body))}
            case path:
                raise BadRequest(f"no such path: {path}")
        return {"message": "done"}

    @torch.no_grad()
    def take(self, info: dict[str, Any]) -> None:
        """The tensors come in the order and shape that were told before."""
        check(info, UPDATE)
        known = dict(self.model.named_parameters())
        require(set(info["names"]) == known.keys(), "each weight of the model, each once")
        for name, dtype, shape in zip(*(info[key] for key in UPDATE), strict=True):
            sent, weight = self.group.get(timeout=30)
            require(sent == name and list(weight.shape) == shape, f"{name} was told")
            require(str(weight.dtype) == f"torch.{dtype}", f"{name} was told as {dtype}")
            known[name].copy_(weight)
            if self.noise:
                known[name].add_(self.noise * torch.randn_like(known[name]))

    @torch.no_grad()
    def completed(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        prompts = [prompt for prompt in body["prompt"] for _number in range(body["n"])]
        with torch.random.fork_rng():
            written = fixed_cache.responses(
                self.model,
                prompts,
                max_new_tokens=body["max_tokens"],
                ends=frozenset(body["stop_token_ids"]),
                temperature=body["temperature"],
                top_p=body["top_p"],
            )
        for index, (prompt, ids) in enumerate(zip(prompts, written, strict=True)):
            is_ended = ids[-1] in body["stop_token_ids"]
            yield {
                "index": index,
                "text": "",
                "logprobs": self.logprobs(prompt, ids, body),
                "finish_reason": "stop" if is_ended else "length",
                "stop_reason": ids[-1] if is_ended else None,
                "token_ids": ids,
                "prompt_token_ids": prompt,
            }

    def logprobs(self, prompt: list[int], ids: list[int], body: dict[str, Any]) -> object:
        """As at `--logprobs-mode processed_logprobs` for top_p 1: after the temperature."""
        if body["logprobs"] is None:
            return None
        logits = self.model(input_ids=torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
        every = (logits.float() / body["temperature"]).log_softmax(-1)
        of_tokens = every.gather(1, torch.tensor(ids)[:, None])[:, 0].tolist()
        names = [f"token_id:{token}" for token in ids]
        top = [{name: value} for name, value in zip(names, of_tokens, strict=True)]
        return {"tokens": names, "token_logprobs": of_tokens, "top_logprobs": top}

    def reply(self, status: int, answer: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


def require(is_right: bool, sentence: str) -> None:
    if not is_right:
        raise BadRequest(sentence)


def check(body: dict[str, Any], fields: Fields) -> None:
    require(body.keys() == fields.keys(), f"fields {sorted(body.keys() ^ fields.keys())}")
    for name, value in body.items():
        require(type(value) in fields[name], f"{name} is {value!r}")


def install(monkeypatch: pytest.MonkeyPatch, model: nn.Module) -> type[Stub]:
    """What TRL imports from vLLM, with a queue for a group of NCCL. Returns the server's handler,
    which has `model`.
    """
    group: queue.Queue[tuple[str, Tensor]] = queue.Queue()

    def produce(iterator: Iterator[tuple[str, Tensor]], *, group: Any, src: int, **_: Any) -> None:
        assert src == 0
        for one in iterator:
            group.queue.put(one)

    for name, value in {
        "is_vllm_available": lambda *_args, **_kwargs: True,
        "get_ip": lambda: "127.0.0.1",
        "open_trainer_endpoint": lambda _info: Communicator(group),
        "packed_nccl_broadcast_producer": produce,
        "_HAS_STATEFUL_TRAINER_ENGINE": True,
        "_HAS_RESET_PREFIX_CACHE_SUCCESS": True,
    }.items():
        monkeypatch.setattr(vllm_client, name, value, raising=False)
    monkeypatch.setattr(rollout_server, "is_vllm_available", lambda: True)
    return type("Served", (Stub,), {"model": model.eval(), "group": group, "asked": []})


class Communicator:
    """PyNcclCommunicator: TRL closes its group at the end."""

    def __init__(self, sent: "queue.Queue[tuple[str, Tensor]]") -> None:
        self.queue, self.group = sent, self
        self.store = self.socket = None
