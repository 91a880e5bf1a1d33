"""What test_sharded.py runs in two processes: makes the trainer of a GRPO run, and looks at how its
reference model is held.
"""

from pathlib import Path

from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from training.configs.online.grpo import GrpoConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data, parallel
from training.trainer.modeling import gradient_checkpointing, loading
from training.trainer.online import grpo, rules, run
from training.trainer.online.mix import Mix, by_rule

CONFIG = GrpoConfig(
    method="full",
    kl_coef=0.5,
    batch_size=2,
    accumulation=4,
    n_responses=2,
    max_new_tokens=8,
    max_prompt_tokens=56,
    dtype="float32",
    length_weight=1.0,
    max_length=3,
)


def hold(folder: Path) -> None:
    joined = parallel.joined(RunFolder(folder, 1))
    job = run_dir.read_job(folder)
    tokenizer = loading.load_tokenizer(job.model, padding_side="left")
    texts = data.prompt_sets(
        Path(job.snapshot), tokenizer, max_tokens=56, max_train=None, max_held_out=None, seed=0
    )
    mix = Mix(tokenizer, {"length": by_rule(rules.of_config(CONFIG)["length"])}, {"length": 1}, 0.0)
    method = run.Method(
        lambda _tokenizer, _texts: mix,
        lambda shared, parts: grpo.trainer_of(CONFIG, shared, parts),
        {},
    )

    trainer = run._trainer(job, CONFIG, joined, method, mix, texts)

    reference = trainer.reference
    assert reference is trainer.ref_model
    assert trainer.beta == CONFIG.kl_coef
    weights = dict(reference.named_parameters())
    assert weights
    whole = [name for name, weight in weights.items() if not isinstance(weight, DTensor)]
    assert not whole, f"not shared out: {whole}"
    held = sum(weight.to_local().numel() for weight in weights.values())
    assert held < 0.6 * sum(weight.numel() for weight in weights.values())
    layers = gradient_checkpointing.layers_of(reference)
    assert layers
    assert all(isinstance(layer, FSDPModule) for layer in layers), "gathered all at once"
    parallel.wait()
    parallel.destroy_process_group()
