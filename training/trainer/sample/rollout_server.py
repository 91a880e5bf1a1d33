"""Rollouts from a vLLM server next to the training: over HTTP, with the policy's adapter in a
folder that both can read.

The server is `vllm serve MODEL --enable-lora` with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, where
MODEL is the run's base model. Before each batch the adapter is saved, loaded there under a new name
and the old one unloaded, so that the current policy is sampled. Full fine-tuning would have to send
all weights from GPU to GPU, which this does not do.
"""

import itertools
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import peft
from torch import nn

from training.processes.run_dir import AnticipatedFailure

URL = "PREFERABLY_ROLLOUT_URL"
_TIMEOUT_S = 600.0


class UnableToRollOut(AnticipatedFailure):
    """The server can't generate the rollouts."""


class RolloutServer:
    """`folder` is where the server reads adapters: the same path on both machines."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        self.url, self.folder, self.name = url.rstrip("/"), folder, name
        self._numbers = itertools.count(1)
        self._loaded: str | None = None

    def hand_over(self, policy: nn.Module) -> None:
        """Replaces the policy's adapter on the server with the current one."""
        if not isinstance(policy, peft.PeftModel):
            raise UnableToRollOut(
                "A rollout server only takes adapters. Choose LoRA, or unset"
                " PREFERABLY_ROLLOUT_URL on the node."
            )
        name = f"{self.name}-{next(self._numbers)}"
        policy.save_pretrained(str(self.folder / name))
        self._post(
            "/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(self.folder / name)}
        )
        self.forget()
        self._loaded = name

    def forget(self) -> None:
        """Removes the adapter from the server and from the folder."""
        if self._loaded is None:
            return
        self._post("/v1/unload_lora_adapter", {"lora_name": self._loaded})
        shutil.rmtree(self.folder / self._loaded, ignore_errors=True)
        self._loaded = None

    def responses(
        self,
        prompts: Sequence[list[int]],
        *,
        max_new_tokens: int,
        ends: Collection[int],
        temperature: float,
        top_p: float,
        seed: int,
    ) -> list[list[int]]:
        """One response to each prompt as token ids, including the end of turn, if any."""
        asked = {
            "model": self._loaded,
            "prompt": list(prompts),
            "n": 1,
            "max_tokens": max_new_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "top_k": 0,
            "repetition_penalty": 1.0,
            "seed": seed,
            "stop_token_ids": sorted(ends),
            "return_token_ids": True,
        }
        choices = json.loads(self._post("/v1/completions", asked))["choices"]
        found = {choice["index"]: choice["token_ids"] for choice in choices}
        if sorted(found) != list(range(len(prompts))) or not all(found.values()):
            raise UnableToRollOut(
                f"The rollout server answered {len(found)} of {len(prompts)} prompts with token"
                " ids."
            )
        return [found[index] for index in range(len(prompts))]

    def _post(self, path: str, body: dict[str, Any]) -> str:
        request = urllib.request.Request(  # noqa: S310  # the operator's own setting
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            raise UnableToRollOut(
                f"The rollout server refused {path} ({error.code}): {said}"
            ) from error
        except OSError as error:
            raise UnableToRollOut(
                f"The rollout server {self.url} does not answer: {error}. Start it, then retry"
                " the run."
            ) from error
