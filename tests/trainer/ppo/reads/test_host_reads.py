"""How often a step of PPO reads the device: each read of a GPU waits for all that was queued."""

import copy
from typing import Any

import pytest
import torch

from tests.trainer.modeling import families
from tests.trainer.ppo import models
from tests.trainer.ppo.reads.host_reads import HostReads
from training.trainer.ppo.roles import Roles
from training.trainer.sample import fixed_cache

NO_END = frozenset({99})


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU, where a read waits for nothing, sampling looks for ended rows at every step."""
    monkeypatch.setattr(fixed_cache, "_READ_FREELY", frozenset())


def reads_of_a_step(
    n_episodes: int, n_tokens: int, roles: Roles | None = None, **changes: Any
) -> HostReads:
    """Counts the second step. The first also tests whether the policy can use the fixed cache."""
    torch.manual_seed(0)
    trainer = models.trainer(
        roles,
        prompts=models.PROMPTS * 8,
        n_episodes=2 * n_episodes,
        batch_size=n_episodes,
        max_new_tokens=n_tokens,
        **{"row_tokens": 2048} | changes,
    )
    trainer.sampler.ends = NO_END
    steps = trainer.steps()
    next(steps)
    with HostReads() as reads:
        report = next(steps)
    assert report.metrics["response_tokens"] == n_tokens
    return reads


@pytest.mark.parametrize(
    "updates", [{}, {"n_minibatches": 4, "n_inner_epochs": 2}], ids=["one", "eight"]
)
def test_a_step_reads_the_device_sixty_times_at_most(updates: dict[str, Any]) -> None:
    ptx = [([3], [token, 2]) for token in range(4, 16)]

    reads = reads_of_a_step(64, 128, ptx=ptx, ptx_coef=1.0, normalizes_reward=True, **updates)

    host_reads_per_step = reads.total
    assert host_reads_per_step <= 60, reads.counts


def test_no_token_episode_or_row_adds_a_read() -> None:
    """Sampling looks for ended rows every 16 tokens, and not after the last: 32 tokens have one
    look more than 16. Rows hold one episode or all.
    """
    short, long = reads_of_a_step(16, 16), reads_of_a_step(16, 32)
    more_episodes = reads_of_a_step(32, 16)
    more_rows = reads_of_a_step(16, 16, row_tokens=16)

    assert long.total == short.total + 1, (short.counts, long.counts)
    assert more_episodes.counts == short.counts
    assert more_rows.counts == short.counts


def test_every_update_reads_the_two_gradient_norms_that_decide_whether_it_is_done() -> None:
    one = reads_of_a_step(16, 16)
    eight = reads_of_a_step(16, 16, n_minibatches=4, n_inner_epochs=2)

    assert eight.total == one.total + 7 * 2, (one.counts, eight.counts)


ONE_ROW_EACH = ["mistral", "gemma3", "lfm2"]
"""A window in every layer, windows beside full layers, states beside full layers."""


def roles_of(family: str) -> Roles:
    torch.manual_seed(0)
    config = families.config_of(family)
    policy, value = families.causal(config), families.classifier(config)
    value = value or models.classifier(vocab_size=64)
    copied = copy.deepcopy((policy, value))
    return Roles(policy, copied[0], copied[1], value)


@pytest.mark.parametrize("family", ONE_ROW_EACH)
def test_models_with_a_row_for_each_sequence_read_no_oftener(family: str) -> None:
    """Their responses come from transformers' generate."""
    step = reads_of_a_step(64, 128, roles_of(family))
    short, long = reads_of_a_step(8, 16, roles_of(family)), reads_of_a_step(8, 32, roles_of(family))
    more_episodes = reads_of_a_step(16, 16, roles_of(family))

    host_reads_per_step = step.total
    assert host_reads_per_step <= 60, step.counts
    assert long.total == short.total + 1, (short.counts, long.counts)
    assert more_episodes.counts == short.counts


@pytest.mark.parametrize("family", ONE_ROW_EACH)
def test_rare_looks_write_the_same_responses(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that have ended wait for the next look, and those that have not end at the limit."""

    def written() -> list[list[int]]:
        trainer = models.trainer(roles_of(family), max_new_tokens=40)
        trainer.sampler.ends = frozenset(range(56, 64))
        torch.manual_seed(3)
        return [rollout.response_ids for rollout in trainer.sample(models.PROMPTS)]

    rarely = written()
    monkeypatch.setattr(fixed_cache, "_READ_FREELY", frozenset({"cpu"}))
    lengths = sorted(map(len, rarely))

    assert rarely == written()
    assert lengths[0] < 16
    assert lengths[-1] <= 40


def test_longer_responses_are_not_looked_at_more_often_in_all() -> None:
    looks = [
        -(-n_tokens // fixed_cache.steps_between_looks(torch.device("cpu"), n_tokens))
        for n_tokens in (16, 128, 256, 1024, 4000)
    ]

    assert looks == [1, 8, 16, 16, 16]


def test_the_count_sees_every_kind_of_read() -> None:
    x = torch.tensor([3.0, 0.0, 2.0])

    with HostReads() as reads:
        float(x[0]), int(x[1]), bool(x[2]), x[0].item(), x[0].tolist()
        x.tolist(), x[x > 0], x.nonzero(), x.unique(), x.cpu(), x.numpy()
        x[x > 2] = 1.0
        x.masked_select(x > 0)
        x + x[torch.tensor([0, 1, 0])] * 2  # no read

    assert reads.counts == {
        "_local_scalar_dense": 4,
        "tolist": 2,
        "index": 1,
        "nonzero": 1,
        "_unique2": 1,
        "cpu": 1,
        "numpy": 1,
        "index_put_": 1,
        "masked_select": 1,
    }
