"""The models of a PPO run, and checks that refuse a run its models or processes can't do."""

from dataclasses import dataclass

from accelerate import Accelerator
from torch import nn

from training.configs.ppo import PpoConfig
from training.processes.run_dir import AnticipatedFailure, counted
from training.trainer import parallel
from training.trainer.modeling import (
    gradient_checkpointing,
    packed_attention,
    separation,
    sharding,
)
from training.trainer.ppo.episodes import RewardFunction


class UnableToShare(AnticipatedFailure):
    """The processes of this run cannot work together."""


class UnableToSaveMemory(AnticipatedFailure):
    """This model has no gradient checkpointing."""


@dataclass(frozen=True)
class Roles:
    """The four roles, and the watchdog. With LoRA two models play all four: one model then has two
    roles, with its adapter on and with its adapter off.
    """

    policy: nn.Module
    reference: nn.Module | None
    """None: the policy with its adapter switched off."""
    reward: "nn.Module | RewardFunction | None"
    """None: the value model with its adapter (and trained head) switched off. Can also be a plain
    function.
    """
    value: nn.Module
    watchdog: nn.Module | None = None
    keep_apart: bool | None = None
    """Whether each model was found to compute packed rows as it should; None: not settled yet."""

    def settle(self, config: PpoConfig, accelerator: Accelerator) -> bool:
        """Whether every model may be given packed rows. Those not settled yet are."""
        models = {id(role): role for role in self._modules()}.values()
        keep_apart = self.keep_apart
        if keep_apart is None:
            trained, judges = (self.policy, self.value), (self.reward, self.watchdog)
            each = [
                settle(
                    model,
                    config,
                    accelerator,
                    is_trained=model in trained,
                    is_judge=model in judges,
                )
                for model in models
            ]
            keep_apart = all(each)
        for model in () if keep_apart else models:
            packed_attention.leave(model)
        return keep_apart

    def _modules(self) -> list[nn.Module]:
        every = (self.policy, self.reference, self.reward, self.value, self.watchdog)
        return [role for role in every if isinstance(role, nn.Module)]


def settle(
    model: nn.Module,
    config: PpoConfig,
    accelerator: Accelerator,
    *,
    is_trained: bool = False,
    is_judge: bool = False,
) -> bool:
    """Puts a model where it is used: shards it, or places it if it is not trained, since Accelerate
    then does not. Call it before the next model is loaded, so that the first process never holds
    two whole ones.

    Returns whether the model computes a sequence in a packed row as it does alone. A judge keeps
    the rollouts' precision.
    """
    longest = config.max_prompt_tokens + config.max_new_tokens
    packed_attention.use(model)
    # Only the first process has the weights of a model that will be sharded.
    keeps_apart = parallel.decided_by_first(
        lambda: separation.keeps_apart(model, separation.end_to_end, longest=longest)
    )
    if not is_trained:
        model.eval().requires_grad_(False)
    if parallel.is_sharded():
        sharding.spread(model, accelerator, keeps_precision=is_judge)
    elif not is_trained:
        model.to(accelerator.device)
    return keeps_apart


def require_equal_shares(config: PpoConfig, accelerator: Accelerator) -> None:
    """Raises UnableToShare unless all processes get the same number of episodes and minibatches."""
    if config.batch_size % accelerator.num_processes:
        raise UnableToShare(
            f"{config.batch_size} episodes do not divide among {accelerator.num_processes}"
            " processes. Change one."
        )
    share = config.batch_size // accelerator.num_processes
    if share % config.n_minibatches:
        raise UnableToShare(
            f"Each process has {counted(share, 'episode')} of a rollout, which cannot be cut"
            f" into {config.n_minibatches} equal minibatches. Change the rollout, the"
            " minibatches or the processes."
        )


def require_gradient_checkpointing(roles: Roles) -> None:
    """Raises UnableToSaveMemory if a trained model doesn't support gradient checkpointing."""
    for trained in (roles.policy, roles.value):
        if not gradient_checkpointing.layers_of(trained):
            raise UnableToSaveMemory(
                f"{type(trained).__name__} cannot compute its activations twice. Switch"
                " gradient checkpointing off, and lower the tokens per row if memory runs"
                " out."
            )
