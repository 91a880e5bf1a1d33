"""PPO's rollouts on two-layer models: packing, masks, ends of responses, and the reward of each."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.trainer.ppo import models as ppo_models
from training.trainer.modeling import loading, packing
from training.trainer.ppo import episodes, roles
from training.trainer.ppo import trainer as ppo_trainer

# --- packing and masks ----------------------------------------------------------------------------


def test_packed_rows_keep_order_and_stay_within_their_budget() -> None:
    sequences = [([1, 2], [3] * n) for n in (3, 1, 4, 9, 2)]

    rows = packing.pack(sequences, 10)

    assert [row.members for row in rows] == [[0, 1], [2], [3], [4]]
    assert torch.cat([row.targets for row in rows]).tolist() == [
        t for _, response in sequences for t in response
    ]
    assert all(row.input_ids.shape[1] <= 11 for row in rows)


def test_a_batch_of_unequal_lengths_equals_the_same_episodes_one_by_one() -> None:
    trainer = ppo_models.trainer(row_tokens=10_000)
    together = ppo_models.stored_experience(trainer)

    alone = [trainer.experience([rollout]) for rollout in together.rollouts]

    for name in ("logprobs", "reference_logprobs", "values", "scores", "entropy"):
        assert torch.allclose(
            getattr(together, name), torch.cat([getattr(one, name) for one in alone]), atol=1e-5
        ), name


def test_logprobs_equal_a_plain_forward_pass() -> None:
    trainer = ppo_models.trainer()
    experience = ppo_models.stored_experience(trainer)
    rollout, n = experience.rollouts[2], experience.lengths
    start = sum(n[:2])

    with torch.no_grad():
        logits = (
            trainer.trained.policy(
                input_ids=torch.tensor([rollout.prompt_ids + rollout.response_ids])
            )
            .logits[0]
            .float()
        )
    expected = torch.log_softmax(logits, -1)[len(rollout.prompt_ids) - 1 : -1].gather(
        1, torch.tensor(rollout.response_ids)[:, None]
    )[:, 0]

    assert torch.allclose(experience.logprobs[start : start + n[2]], expected, atol=1e-5)


def test_nothing_behind_the_end_of_turn_is_kept_and_a_cut_response_gets_no_end() -> None:
    trainer = ppo_models.trainer()

    ended, cut = (
        trainer.sampler.trimmed([3], [5, 2, 7, 2]),
        trainer.sampler.trimmed([3], [5, 6, 7, 8]),
    )

    assert (ended.response_ids, ended.is_ended) == ([5, 2], True)
    assert (cut.response_ids, cut.is_ended) == ([5, 6, 7, 8], False)


def test_a_response_ends_at_each_end_that_the_models_own_settings_name() -> None:
    models: Any = ppo_models.full_models()
    models.policy.generation_config.eos_token_id = [2, 9]
    trainer = ppo_models.trainer(models)
    with torch.no_grad():
        trainer.trained.policy.lm_head.weight.zero_()
        trainer.trained.policy.lm_head.weight[9] += (
            1  # all logits 0 but one, whose sign is the hidden state's
        )
        trainer.trained.policy.model.norm.weight.zero_()

    other = trainer.sampler.trimmed([3], [5, 9, 7, 2])
    for trainer.sampler.samples_itself in (True, False):
        rollouts = trainer.sample(ppo_models.PROMPTS * 8)
        assert any(rollout.response_ids[-1] == 9 for rollout in rollouts)
        assert all(9 not in rollout.response_ids[:-1] for rollout in rollouts)

    assert (other.response_ids, other.is_ended) == ([5, 9], True)


def test_the_reward_model_is_read_at_the_last_sampled_token() -> None:
    trainer = ppo_models.trainer()
    reward: Any = trainer.passes.reward
    rollouts = [
        episodes.Rollout([3, 4], [5, 6], False),
        episodes.Rollout([3], [7, 2], True),
    ]

    scores = trainer.passes.scores(rollouts)

    for rollout, score in zip(rollouts, scores, strict=True):
        with torch.no_grad():
            hidden = reward.model(
                input_ids=torch.tensor([rollout.prompt_ids + rollout.response_ids])
            ).last_hidden_state
            assert float(score) == pytest.approx(
                float(reward.score(hidden)[0, -1, 0].detach()), abs=1e-5
            )


def test_the_prompts_beside_it_change_no_response() -> None:
    trainer = ppo_models.trainer(temperature=0.05)
    with torch.no_grad():
        # so sure of itself that sampling is choosing
        trainer.trained.policy.lm_head.weight.mul_(10_000)

    for trainer.sampler.samples_itself in (True, False):
        together = [rollout.response_ids for rollout in trainer.sample(ppo_models.PROMPTS)]
        alone = [trainer.sample([prompt])[0].response_ids for prompt in ppo_models.PROMPTS]

        assert together == alone


@pytest.mark.parametrize("build", [ppo_models.full_models, ppo_models.lora_models])
def test_generate_takes_no_advice_from_the_models_folder(
    build: Callable[[], roles.Roles],
) -> None:
    """A repetition penalty would write what the policy does not, and learn from it."""
    found = []
    for penalty in (None, 5.0):
        models: Any = build()
        trainer = ppo_models.trainer(models, temperature=0.05)
        trainer.sampler.samples_itself = False
        bare = loading.bare(trainer.trained.policy)
        with torch.no_grad():
            bare.lm_head.weight.mul_(10_000)
        bare.generation_config.repetition_penalty = penalty

        found.append([rollout.response_ids for rollout in trainer.sample(ppo_models.PROMPTS)])
        assert bare.generation_config.repetition_penalty == penalty  # saved with the model

    assert found[0] == found[1]


# --- several processes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_processes", "sentence"),
    [
        (3, "do not divide among 3"),
        (
            4,
            (
                "Each process has 2 episodes of a rollout, which cannot be cut into 4 equal"
                " minibatches"
            ),
        ),
    ],
)
def test_processes_that_cannot_share_a_run_are_told_why(n_processes: int, sentence: str) -> None:
    accelerator: Any = SimpleNamespace(num_processes=n_processes)
    tokenizer: Any = ppo_models.BareTokenizer()
    config = ppo_models.config(n_minibatches=4)

    with pytest.raises(roles.UnableToShare, match=sentence):
        ppo_trainer.PpoTrainer(
            ppo_models.full_models(), tokenizer, config, prompts=[], accelerator=accelerator
        )
