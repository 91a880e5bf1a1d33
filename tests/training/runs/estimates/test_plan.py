"""The plan of a run: weights counted against models of published sizes on the meta device, memory
and traffic against slow twins, and what is refused.
"""

import training.trainer  # noqa: F401, I001  # before transformers reads the environment

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import peft
import pytest
import torch
import transformers

from tests.training.runs.estimates.shapes import LLAMA_1B, LLAMA_70B, QWEN_7B, QWEN_600M
from training.configs import kinds
from training.configs.cost import estimates
from training.configs.cost.replicas import Replicas
from training.configs.cost.sizes import GIB, Rows, Shape
from training.configs.kinds import PRESETS
from training.runs.estimates import plan
from training.processes.launch import SINGLE_PROCESS, Launch
from training.runs.estimates.plan import Asked, Node

ROWS = Rows(1000, 1000, 1000, 100, prompt_tokens=256, response_tokens=256)
NODE = Node(n_cards=8, card_gb=80, host_gb=1000)
PUBLISHED = [
    (QWEN_600M, 596_049_920),
    (LLAMA_1B, 1_235_814_400),
    (QWEN_7B, 7_615_616_512),
    (LLAMA_70B, 70_553_706_496),
]


def shape(config: Mapping[str, Any]) -> Shape:
    known = estimates.shape_of(config)
    assert known is not None
    return known


def asked(
    kind: str = "sft",
    model: Mapping[str, Any] = QWEN_7B,
    *,
    n_gpus: int = 1,
    launch: Launch = SINGLE_PROCESS,
    beside: Mapping[str, Shape] | None = None,
    **settings: Any,
) -> Asked:
    raw = kinds.as_json(PRESETS[kind]["balanced"]) | {"dtype": "bfloat16"} | settings
    config, problems = kinds.parse(kind, raw)
    assert config is not None, problems
    return Asked(
        config,
        shape(model),
        ROWS,
        n_gpus=n_gpus,
        launch=launch,
        beside=beside or {},
        config_json=model,
    )


@cache
def built(number: int) -> Any:
    config = dict(PUBLISHED[number][0])
    settings = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    return on_meta(settings)


def on_meta(settings: Any) -> Any:
    loader: Any = transformers.AutoModelForCausalLM
    with torch.device("meta"):
        return loader.from_config(settings)


@pytest.mark.parametrize("number", range(4))
def test_weights_are_counted_as_the_model_has_them(number: int) -> None:
    config, published = PUBLISHED[number]

    assert sum(weight.numel() for weight in built(number).parameters()) == published
    assert shape(config).n_parameters == published


@pytest.mark.parametrize("number", range(4))
def test_adapters_are_counted_as_peft_makes_them(number: int) -> None:
    config = dict(PUBLISHED[number][0])
    settings = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    model = on_meta(settings)
    with torch.device("meta"):
        adapted = peft.get_peft_model(model, peft.LoraConfig(r=16, target_modules="all-linear"))
    trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)

    run = asked(model=PUBLISHED[number][0], method="lora", lora_rank=16)

    assert run.config.n_trained(run.shape) == trained


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 8])
def test_a_card_holds_its_shard_of_each_weight_with_gradient_and_optimizer(
    number: int, n: int
) -> None:
    """Weight by weight: itself, its gradient and two moments, in float32."""
    strategy = "fsdp" if n > 1 else "ddp"
    run = asked(model=PUBLISHED[number][0], method="full", n_gpus=n, launch=Launch(n, strategy))
    held = plan.on_a_card(run)

    twin = {"trained weights": 0.0, "gradients": 0.0, "optimizer": 0.0}
    for weight in built(number).parameters():
        a_card = weight.numel() / n
        twin["trained weights"] += a_card * torch.float32.itemsize
        twin["gradients"] += a_card * torch.float32.itemsize
        twin["optimizer"] += sum(a_card * torch.float32.itemsize for _moment in range(2))
    assert {name: held[name] for name in twin} == pytest.approx(twin)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_fsdp_gathers_two_layers_and_the_head(number: int) -> None:
    run = asked(model=PUBLISHED[number][0], method="full", n_gpus=8, launch=Launch(8, "fsdp"))
    model = built(number)
    layers = [sum(w.numel() for w in layer.parameters()) for layer in model.model.layers]

    gathered = plan.on_a_card(run)["gathered layers"]

    least = (max(layers) * 2 + model.lm_head.weight.numel()) * 2
    untied = 0 if model.config.tie_word_embeddings else model.lm_head.weight.numel()
    of_embeddings = 2 * 2 * untied / len(layers)  # counted as if the layers shared them
    assert gathered == pytest.approx(least + of_embeddings, rel=1e-3)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_sampled_token_takes_the_keys_and_values_of_each_layer(number: int) -> None:
    run = asked("sample", PUBLISHED[number][0], max_new_tokens=100, max_prompt_tokens=50)
    model, cache_of_all = built(number), 0
    for layer in model.model.layers:
        for projection in (layer.self_attn.k_proj, layer.self_attn.v_proj):
            cache_of_all += projection.out_features * 150 * torch.bfloat16.itemsize

    assert plan.on_a_card(run)["cache"] == cache_of_all * run.config.n_sequences


def test_a_run_on_one_card_holds_what_its_form_says() -> None:
    for kind in ("sft", "reward", "dpo", "ppo"):
        run = asked(kind, LLAMA_1B, batch_size=8)
        form = run.config.memory(ROWS, run.shape, {})

        assert sum(plan.on_a_card(run).values()) == pytest.approx(form, rel=0.2), kind


@pytest.mark.parametrize("n", [2, 3, 8])
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_each_card_sends_what_a_ring_makes_it_send(n: int, strategy: str) -> None:
    """Step by step: a card passes one of n parts on, n−1 times for each half of a sum."""
    run = asked(method="full", n_gpus=n, launch=Launch(n, strategy))
    n_weights = run.shape.n_parameters

    def ring(bytes_a_weight: int) -> float:
        return sum(n_weights / n * bytes_a_weight for _step in range(n - 1))

    sent = plan.traffic(run, None)

    if strategy == "ddp":  # added up in parts, and the sums handed on
        assert sum(sent.values()) == pytest.approx(ring(4) + ring(4))
    else:  # gathered forward and backward in bfloat16, added up in float32
        assert sum(sent.values()) == pytest.approx(ring(2) + ring(2) + ring(4))


def test_a_rollout_sends_the_weights_once_to_all_copies() -> None:
    run = asked("ppo", n_gpus=8, launch=Launch(4), method="lora")

    planned = plan.plan(run, NODE)

    assert planned.problems == ()
    assert planned.replicas == Replicas(4, 1)
    assert planned.traffic["weights of a rollout, to vLLM"] == 2 * run.shape.n_parameters
    assert sum(planned.server_card.values()) / GIB < 0.9 * 80


def test_offloaded_shards_are_in_the_machine() -> None:
    run = asked(method="full", n_gpus=8, launch=Launch(8, "fsdp", offloads=True))

    planned = plan.plan(run, NODE)

    assert planned.card["optimizer"] == planned.card["trained weights"] == 0
    assert planned.host["offloaded shards"] == 16 * run.shape.n_parameters


def test_sharded_ppo_reads_one_model_at_a_time_and_a_reference_of_rloo_is_read_by_each() -> None:
    launch = Launch(8, "fsdp")
    ppo = asked("ppo", n_gpus=8, launch=launch, method="full", batch_size=64)
    dpo, rloo = (asked(kind, n_gpus=8, launch=launch, method="full") for kind in ("dpo", "rloo"))

    assert "models being read" not in plan.on_the_host(ppo)
    assert plan.on_the_host(dpo)["models being read"] == 4 * dpo.shape.n_parameters
    assert plan.on_the_host(rloo)["models being read"] == 8 * 4 * rloo.shape.n_parameters


FSDP = Launch(8, "fsdp")
SHORT = LLAMA_1B | {"max_position_embeddings": 512}
PADDED = {"beside": {"reward_model": shape(QWEN_7B | {"vocab_size": 151936})}}
REFUSALS: dict[str, tuple[dict[str, Any], Node, str]] = {
    "more GPUs than cards": (
        {"n_gpus": 8, "launch": Launch(8)},
        Node(4, 80, 999),
        "asks for 8 GPUs on each machine, and the node has 4",
    ),
    "more processes than GPUs": ({"n_gpus": 4, "launch": Launch(8)}, NODE, "its own GPU"),
    "fewer processes than GPUs": ({"n_gpus": 8, "launch": Launch(4)}, NODE, "its own GPU"),
    "idle cards": ({"n_gpus": 8}, NODE, "the others of 8 would be idle"),
    "too many processes": (
        {"n_gpus": 0, "launch": Launch(65), "kind": "sample"},
        NODE,
        "at most 64 processes",
    ),
    "too many machines": (
        {"n_gpus": 1, "launch": Launch(1, n_machines=33)},
        NODE,
        "at most 32 machines",
    ),
    "no DeepSpeed": ({"n_gpus": 8, "launch": Launch(8, "zero3")}, NODE, "no longer offered"),
    "no such strategy": ({"n_gpus": 8, "launch": Launch(8, "tp")}, NODE, "no strategy called “tp”"),
    "FSDP alone": ({"launch": Launch(1, "fsdp")}, NODE, "at least two, or choose DDP"),
    "FSDP of a sample": (
        {"kind": "sample", "n_gpus": 8, "launch": FSDP},
        NODE,
        "FSDP shards models in training",
    ),
    "offloading of DDP": (
        {"n_gpus": 8, "launch": Launch(8, offloads=True)},
        NODE,
        "Only FSDP keeps shards",
    ),
    "offloading without GPUs": (
        {"n_gpus": 0, "launch": Launch(2, "fsdp", offloads=True)},
        NODE,
        "nothing to offload from",
    ),
    "cross-validation on machines": (
        {"kind": "reward", "launch": Launch(1, n_machines=2), "cross_validates": True},
        NODE,
        "Cross-validation runs on one machine",
    ),
    "episodes": (
        {"kind": "ppo", "n_gpus": 7, "launch": Launch(7)},
        NODE,
        "episodes of a batch do not divide evenly",
    ),
    "minibatches": (
        {"kind": "ppo", "n_gpus": 8, "launch": Launch(8), "batch_size": 8, "n_minibatches": 8},
        NODE,
        "do not divide evenly into the minibatches",
    ),
    "groups": (
        {"kind": "rloo", "n_gpus": 3, "launch": Launch(3), "n_responses": 8, "batch_size": 1},
        NODE,
        "responses of a step do not divide evenly",
    ),
    "a server on several machines": (
        {"kind": "ppo", "n_gpus": 8, "launch": Launch(4, n_machines=2)},
        NODE,
        "its own GPU",
    ),
    "server cards that divide no heads": (
        {"kind": "ppo", "model": LLAMA_70B, "n_gpus": 8, "launch": Launch(1)},
        NODE,
        r"7 cards of 80 GB, .* among 1 of them \(64 attention heads, 8",
    ),
    "server cards that are too small": (
        {"kind": "ppo", "model": LLAMA_70B, "n_gpus": 8, "launch": Launch(4)},
        Node(8, 24, 999),
        "4 cards of 24 GB",
    ),
    "weights": (
        {"model": LLAMA_70B, "method": "lora", "saves_memory": True},
        NODE,
        r"hold \d+ GB and has 80 GB, most of it frozen weights. Ask for more processes with FSDP.$",
    ),
    "weights of each process": (
        {"model": QWEN_7B, "method": "full", "n_gpus": 8, "launch": Launch(8)},
        NODE,
        "most of it optimizer. Choose FSDP",
    ),
    "activations": (
        {"batch_size": 64, "max_tokens": 4096},
        NODE,
        "most of it activations. Lower the batch size",
    ),
    "logits": (
        {"model": QWEN_600M, "batch_size": 64, "max_tokens": 2048, "saves_memory": True},
        NODE,
        "most of it logits. Lower the batch size",
    ),
    "a policy gathered to sample": (
        {"kind": "ppo", "model": LLAMA_70B, "n_gpus": 8, "launch": FSDP, "batch_size": 64},
        NODE,
        "most of it whole policy. Ask for more GPUs than processes",
    ),
    "the machine": (
        {"method": "lora", "n_gpus": 8, "launch": Launch(8)},
        Node(8, 80, 64),
        r"The machine would hold \d+ GB and has 64 GB, most of it models being read",
    ),
    "context": (
        {"model": QWEN_7B | {"max_position_embeddings": 512}, "max_tokens": 1024},
        NODE,
        "context length is 512 tokens, but the run asks for 1024",
    ),
    "context of a response": (
        {"kind": "sample", "model": SHORT, "max_new_tokens": 600},
        NODE,
        "context length is 512 tokens, but the run asks for 600",
    ),
    "an encoder": ({"model": QWEN_7B | {"is_encoder_decoder": True}}, NODE, "an encoder and a"),
    "quantized weights": (
        {"model": QWEN_7B | {"quantization_config": {"bits": 4}}},
        NODE,
        "weights are quantized",
    ),
    "a mixture": ({"model": QWEN_7B | {"num_experts": 128}}, NODE, "a mixture of experts"),
    "LoRA larger than its model": (
        {"model": QWEN_600M, "method": "lora", "lora_rank": 1024},
        NODE,
        "rank 1024 have 645,922,816 weights and the model 596,049,920",
    ),
    "a machine without cards": (
        {"model": QWEN_7B, "method": "full", "n_gpus": 0},
        Node(0, 0, 128),
        "has 128 GB, most of it weights and passes. Choose a smaller model",
    ),
    "a reward model of another family": (
        {"kind": "ppo", "beside": {"reward_model": shape(LLAMA_1B)}},
        NODE,
        "“Reward model” has 128256 tokens and the base model 152064",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_is_refused_with_a_sentence(case: str) -> None:
    settings, node, sentence = REFUSALS[case]

    problems = [problem.sentence for problem in plan.plan(asked(**settings), node).problems]

    assert re.search(sentence, "\n".join(problems)), problems
    assert all(problem.endswith(".") for problem in problems)


@pytest.mark.parametrize(
    ("chosen", "node"),
    [
        ({"method": "lora"}, NODE),
        ({"method": "full", "n_gpus": 8, "launch": FSDP}, NODE),
        ({"model": LLAMA_70B, "saves_memory": True, "n_gpus": 8, "launch": FSDP}, NODE),
        ({"kind": "ppo", "method": "full", "n_gpus": 8, "launch": FSDP, "batch_size": 64}, NODE),
        ({"kind": "ppo", "method": "lora", "n_gpus": 8, "launch": Launch(1)}, NODE),
        ({"kind": "sample", "model": LLAMA_1B, "n_gpus": 0, "launch": Launch(2)}, NODE),
        # The trainer counts a sampling run's prompts as they are, and cuts items of suites.
        ({"kind": "sample", "model": SHORT, "max_new_tokens": 256}, NODE),
        ({"kind": "benchmark", "model": SHORT, "max_tokens": 4096}, NODE),
        ({"kind": "sample", "model": QWEN_7B | {"quantization_config": {"bits": 4}}}, NODE),
        ({"kind": "ppo", "n_gpus": 8, "launch": Launch(4), "method": "lora"} | PADDED, NODE),
        ({"kind": "attack", "beside": {"attacker_model": shape(LLAMA_1B)}}, NODE),
    ],
)
def test_what_can_be_is_not_refused(chosen: dict[str, Any], node: Node) -> None:
    assert plan.plan(asked(**chosen), node).problems == ()
