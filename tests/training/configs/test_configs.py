"""Settings of runs: presets, ranges, and a sentence for every problem."""

import math
from typing import ClassVar, Self

import pytest

from training.configs import kinds, ppo, sft
from training.configs.cost.sizes import Inputs, Rows
from training.configs.knobs import Settings


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_preset_is_read_back_as_it_was_written(kind: str) -> None:
    for preset in kinds.PRESETS[kind].values():
        assert kinds.parse(kind, kinds.as_json(preset)) == (preset, [])


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_field_says_what_it_is_for(kind: str) -> None:
    for knob in kinds.knobs(kind):
        assert knob.label
        assert knob.help
        assert knob.type in (str, int, float, bool)
        assert knob.choices or knob.max or knob.type is not str


def test_training_measures_on_at_most_as_many_rows_as_an_evaluation() -> None:
    """So that a run's figures can be measured again."""
    (of_evaluation,) = (knob.max for knob in kinds.knobs("evaluate") if knob.name == "max_rows")
    of_training = {
        kind: knob.max
        for kind in kinds.KINDS
        for knob in kinds.knobs(kind)
        if knob.name == "max_held_out_rows"
    }

    assert of_training
    assert of_training == dict.fromkeys(of_training, of_evaluation)


def test_every_problem_is_reported_and_not_the_first_alone() -> None:
    config, problems = kinds.parse(
        "sft",
        {"n_epochs": "many", "batch_size": 0, "method": "magic", "colour": "red", "seed": True},
    )

    assert config is None
    assert {problem.field for problem in problems} == {
        "n_epochs",
        "batch_size",
        "method",
        "colour",
        "seed",
    }
    assert "Epochs is “many” but must be a whole number." in [
        problem.sentence for problem in problems
    ]
    assert "Batch size is 0 but must be between 1 and 4096." in [
        problem.sentence for problem in problems
    ]


def test_a_forms_text_is_read_as_numbers() -> None:
    config, problems = kinds.parse(
        "sft", {"n_epochs": "3", "learning_rate": "1e-5", "max_rows": "", "saves_memory": "on"}
    )

    assert not problems
    assert isinstance(config, sft.SftConfig)
    assert (config.n_epochs, config.learning_rate, config.max_rows, config.saves_memory) == (
        3,
        1e-5,
        None,
        True,
    )


def test_no_temperature_and_several_responses_contradict_each_other() -> None:
    _, problems = kinds.parse("sample", {"temperature": 0, "n_responses": 4})

    assert "all 4 responses to a prompt are the same" in problems[0].sentence


def test_a_batch_smaller_than_one_prompts_responses_is_refused() -> None:
    _, problems = kinds.parse("sample", {"batch_size": 2, "n_responses": 4})

    assert problems[0].field == "batch_size"


@pytest.mark.parametrize("loss", ["ipo", "hinge"])
def test_dpo_smooths_labels_with_the_sigmoid_loss_only(loss: str) -> None:
    _, problems = kinds.parse("dpo", {"loss": loss, "label_smoothing": 0.1})

    assert [problem.field for problem in problems] == ["label_smoothing"]
    assert "Only the sigmoid loss has label smoothing" in problems[0].sentence
    assert kinds.parse("dpo", {"loss": loss})[1] == []
    assert kinds.parse("dpo", {"loss": "sigmoid", "label_smoothing": 0.1})[1] == []


def test_an_unknown_kind_gets_a_sentence() -> None:
    _, problems = kinds.parse("magic", {})

    assert problems[0].sentence.startswith("Unknown kind of run “magic”.")


@pytest.mark.parametrize("name", ["small", "balanced", "thorough"])
def test_every_preset_of_ppo_has_some_evaluations_to_choose_the_best_of(name: str) -> None:
    preset = kinds.PRESETS["ppo"][name]
    assert isinstance(preset, ppo.PpoConfig)
    n_rollouts = math.ceil(preset.n_episodes / preset.batch_size)

    assert 2 <= (n_rollouts - 1) // preset.evaluate_every <= 50
    assert ppo.PpoConfig().evaluate_every == 20


@pytest.mark.parametrize("name", ["small", "balanced", "thorough"])
def test_every_preset_of_ppo_updates_several_times_a_rollout(name: str) -> None:
    """With one update the ratio is always 1 and the clip does nothing."""
    preset = kinds.PRESETS["ppo"][name]
    assert isinstance(preset, ppo.PpoConfig)

    assert preset.n_minibatches * preset.n_inner_epochs >= 4
    assert not preset.problems()


@pytest.mark.parametrize("name", ["balanced", "thorough"])
def test_the_safe_presets_of_ppo_stop_by_themselves(name: str) -> None:
    """A run that nobody watches ends when it drifts, or when a second reward model disagrees."""
    preset = kinds.PRESETS["ppo"][name]
    assert isinstance(preset, ppo.PpoConfig)

    assert 0 < preset.kl_ceiling <= 30
    assert preset.watchdog_drop > 0
    assert preset.max_held_out_prompts > 0


def test_the_thorough_ppo_preset_has_the_published_numbers() -> None:
    """Ouyang 2022, App. C.4, E.9 and E.11; γ, λ and clips as in its predecessors, which it
    names.
    """
    preset = kinds.PRESETS["ppo"]["thorough"]
    published = {
        "n_episodes": 256_000,
        "batch_size": 512,
        "n_minibatches": 8,
        "n_inner_epochs": 1,
        "warmup_steps": 10,
        "kl_coef": 0.02,
        "kl_control": "fixed",
        "gamma": 1.0,
        "lam": 0.95,
        "clip_ratio": 0.2,
        "clip_value": 0.2,
        "temperature": 1.0,
        "top_p": 1.0,
        "value_learning_rate": 9e-6,
        "ptx_coef": 27.8,
        "ptx_per_episode": 8.0,
        "ema_decay": 0.992,
    }

    assert {name: getattr(preset, name) for name in published} == published
    assert isinstance(preset, ppo.PpoConfig)
    assert 2.55e-6 <= preset.learning_rate <= 8.05e-6  # its sweep; above, runs without ptx diverged


def test_the_steered_beta_starts_as_in_lm_human_preferences() -> None:
    assert (ppo.PpoConfig().kl_target, ppo.PpoConfig().kl_horizon) == (6.0, 10_000)


class SettingsWithWork(Settings):
    @classmethod
    def presets(cls) -> dict[str, Self]:
        return {}

    def work(self, rows: Rows, inputs: Inputs) -> tuple[int, int]:
        return 1, 1


@pytest.fixture
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))
    monkeypatch.setattr(kinds, "PRESETS", dict(kinds.PRESETS))


@pytest.mark.usefixtures("_registry")
@pytest.mark.parametrize(
    "name", ["best of n", "Best", "best_of_n", "-best", "best-of-so-many-n", ""]
)
def test_a_name_that_no_address_and_no_module_can_have_is_refused(name: str) -> None:
    class Named(sft.SftConfig):
        kind: ClassVar[str] = name

    with pytest.raises(kinds.InvalidKind, match="cannot name a kind of run"):
        kinds.register(Named)


@pytest.mark.usefixtures("_registry")
def test_a_name_may_have_a_hyphen() -> None:
    class Named(sft.SftConfig):
        kind: ClassVar[str] = "best-of-n"

    kinds.register(Named)

    assert kinds.KINDS["best-of-n"] is Named
    assert kinds.trainer_of("best-of-n") == "training.trainer.best_of_n"


@pytest.mark.usefixtures("_registry")
def test_a_kind_that_leaves_something_unsaid_is_refused() -> None:
    class Silent(SettingsWithWork):
        kind: ClassVar[str] = "silent"
        label: ClassVar[str] = "silent"

    with pytest.raises(
        kinds.InvalidKind,
        match="Silent does not say its menu, snapshots, measures, charts",
    ):
        kinds.register(Silent)


@pytest.mark.usefixtures("_registry")
def test_a_name_is_given_once() -> None:
    with pytest.raises(kinds.InvalidKind, match="called “sft” already"):
        kinds.register(sft.SftConfig)
