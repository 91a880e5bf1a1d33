"""The estimated cost of a run, compared with real tiny runs."""

import training.trainer  # noqa: F401, I001  # before transformers reads the environment

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.trainer import runs, warm
from tests.trainer.tiny import build_tiny_model
from training.configs.kinds import KINDS, PRESETS
from training.configs.offline.dpo import DpoConfig
from training.configs.evaluation.evaluate import EvaluateConfig
from training.configs.knobs import Settings
from training.configs.pretrain import PretrainConfig
from training.configs.reward import RewardConfig
from training.configs.online.rloo import RlooConfig
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig
from training.configs.cost.sizes import (
    OVERHEAD_BYTES,
    Inputs,
    Rows,
    Shape,
)
from training.processes import run_dir
from training.configs.cost import estimates

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

ROWS = Rows(
    n_rows=1000,
    n_prompts=500,
    n_pairs=3000,
    n_held_out=100,
    prompt_tokens=50,
    response_tokens=150,
    n_responses=4,
    n_test=40,
    n_total_rows=1140,
)
# SmolLM2-135M, from its card: 134.5 million parameters.
SMOL = {
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "vocab_size": 49152,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "tie_word_embeddings": True,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def shape(path: Path) -> Shape:
    found = estimates.shape_of(json.loads((path / "config.json").read_text()))
    assert found is not None
    return found


def test_parameters_are_counted_exactly_from_the_config(tiny: Path) -> None:
    from transformers import (  # noqa: PLC0415
        AutoModelForCausalLM,
    )  # the trainer's environment must be set first

    assert shape(tiny).n_parameters == sum(
        w.numel() for w in AutoModelForCausalLM.from_pretrained(tiny).parameters()
    )


def test_a_published_model_has_the_published_number_of_parameters() -> None:
    found = estimates.shape_of(SMOL)

    assert found is not None
    assert found.n_parameters == 134_515_008


def test_an_unknown_architecture_is_unknown() -> None:
    assert estimates.shape_of({"d_model": 512}) is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_preset_of_every_kind_has_a_cost(kind: str) -> None:
    for config in PRESETS[kind].values():
        found = estimates.cost(config, ROWS, Inputs(), estimates.shape_of(SMOL))

        assert found.n_steps > 0
        assert found.n_tokens > 0
        assert found.memory_gb is not None
        assert found.memory_gb > 0


@pytest.mark.parametrize(
    "config", [SampleConfig(dtype="bfloat16"), EvaluateConfig(dtype="bfloat16")]
)
def test_a_reward_model_takes_memory_where_there_is_one(config: Settings) -> None:
    found = estimates.shape_of(SMOL)
    assert found is not None

    alone, judged = (config.memory(ROWS, found, beside) for beside in ({}, {"reward_model": found}))

    assert judged - alone == 2 * found.n_parameters


def test_full_fine_tuning_holds_sixteen_bytes_a_parameter() -> None:
    found = estimates.shape_of(SMOL)
    assert found is not None
    config = SftConfig(method="full", batch_size=1, max_tokens=16, dtype="bfloat16")

    held = config.memory(ROWS, found, {}) - OVERHEAD_BYTES

    assert held == pytest.approx(16 * found.n_parameters, rel=0.02)


def test_gradient_checkpointing_and_lora_take_less() -> None:
    found = estimates.shape_of(SMOL)
    plain = estimates.cost(SftConfig(method="full"), ROWS, Inputs(), found).memory_gb
    saving = estimates.cost(
        SftConfig(method="full", saves_memory=True), ROWS, Inputs(), found
    ).memory_gb
    lora = estimates.cost(SftConfig(saves_memory=True), ROWS, Inputs(), found).memory_gb

    assert lora is not None
    assert saving is not None
    assert plain is not None
    assert lora < saving < plain


def test_steps_asked_for_go_before_epochs() -> None:
    assert SftConfig(max_steps=7, n_epochs=3).work(ROWS, Inputs())[0] == 7


@pytest.mark.parametrize(
    ("config", "n_steps"),
    [
        (SftConfig(n_epochs=2, batch_size=8, accumulation=4), 64),
        (RewardConfig(batch_size=8, accumulation=8), 8),
        (RewardConfig(batch_size=8, accumulation=8, max_rows=300), 1),
        (DpoConfig(batch_size=4, accumulation=16), 47),
        (RlooConfig(batch_size=8, accumulation=8, n_responses=4), 31),
        (PretrainConfig(batch_size=8, accumulation=4, max_tokens=1000), 7),
        (SampleConfig(n_responses=4, batch_size=32), 63),
    ],
)
def test_steps_are_counted_as_the_trainers_count_them(config: Settings, n_steps: int) -> None:
    assert config.work(ROWS, Inputs())[0] == n_steps


@pytest.mark.parametrize(
    ("split", "n_rows"), [("held_out", 100), ("test", 40), ("train", 1000), ("all", 1140)]
)
def test_an_evaluation_reads_the_rows_of_the_split_that_was_chosen(split: str, n_rows: int) -> None:
    config = EvaluateConfig(split=split, max_rows=None, max_tokens=1024)

    assert config.work(ROWS, Inputs("demonstrations")) == (1, n_rows * 200)


def test_an_evaluation_where_nothing_is_held_out_costs_what_its_rows_cost() -> None:
    rows = Rows(10_000, 10_000, 0, 0, prompt_tokens=50, response_tokens=150, n_total_rows=10_000)
    config = EvaluateConfig(split="all", max_rows=None)

    assert config.work(rows, Inputs("demonstrations")) == (1, 2_000_000)


def test_an_evaluation_of_a_reward_model_reads_every_response() -> None:
    config = EvaluateConfig()

    assert config.work(ROWS, Inputs("comparisons", "reward")) == (1, 100 * 4 * 200)


def test_fresh_responses_cost_what_they_take_and_twice_that_against_another_model() -> None:
    config = EvaluateConfig(max_new_tokens=256)
    # One prompt for every two rows.
    written = 50 * (50 + 256)

    alone = config.work(ROWS, Inputs("prompts", beside=frozenset({"reward_model"})))
    compared = config.work(
        ROWS, Inputs("demonstrations", beside=frozenset({"reward_model", "other_model"}))
    )

    assert alone == (1, written)
    assert compared == (2, 100 * 200 + 2 * written)


def test_a_tiny_run_took_the_estimated_steps_tokens_weights_and_disk(
    tmp_path: Path, tiny: Path
) -> None:
    config = SftConfig(
        n_epochs=2,
        batch_size=4,
        accumulation=1,
        max_tokens=64,
        dtype="float32",
        lora_rank=4,
        checkpoint_every=3,
    )
    snapshot = runs.demonstrations(tmp_path / "snapshot")
    folder = runs.prepare(tmp_path / "run", "sft", config, tiny, snapshot)
    done = warm.as_child(folder.path)
    assert done.returncode == 0, done.stderr
    result = run_dir.read_result(folder.path)
    assert result is not None
    # "What is the colour of the sky? 12" and "The sky is blue.", four characters a token, as
    # costs.rows_of counts.
    rows = Rows(16, 16, 0, 8, prompt_tokens=33 / 4, response_tokens=16 / 4)

    estimate = estimates.cost(config, rows, Inputs(), shape(tiny))

    assert estimate.n_steps == result.n_steps == 8
    adapters = folder.path / "checkpoints" / "step-8" / "adapter_model.safetensors"
    assert estimate.n_trained == sum(weight.numel() for weight in load_file(adapters).values())
    left = sum(file.stat().st_size for file in (folder.path / "model").glob("*.safetensors"))
    assert 4 * shape(tiny).n_parameters == pytest.approx(left, rel=0.05)
    assert result.metrics["shape"] == shape(tiny).as_json()
    assert 0 < result.metrics["peak_memory_gb"] < 4
    assert result.versions["device"] == "CPU"
