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

    def modules(self) -> list[nn.Module]:
        every = (self.policy, self.reference, self.reward, self.value, self.watchdog)
        return [role for role in every if isinstance(role, nn.Module)]

    def settle(self, accelerator: Accelerator) -> None:
        """Puts the models where they are used: shards all of them, or places those that Accelerate
        does not because they are not trained.
        """
        for model in self._frozen():
            model.eval().requires_grad_(False)
        for model in self.modules() if parallel.is_sharded() else ():
            sharding.spread(model, accelerator)
        for model in self._frozen() if not parallel.is_sharded() else ():
            model.to(accelerator.device)

    def _frozen(self) -> list[nn.Module]:
        every = (self.reference, self.reward, self.watchdog)
        return [role for role in every if isinstance(role, nn.Module)]


def keeps_apart(roles: Roles, config: PpoConfig) -> bool:
    """Whether every model computes a sequence in a packed row as it does alone, and so may be given
    packed rows. Call before the models are sharded.
    """
    longest = config.max_prompt_tokens + config.max_new_tokens
    models = roles.modules()
    for model in models:
        packed_attention.use(model)

    def all_do() -> bool:
        return all(
            separation.keeps_apart(model, separation.end_to_end, longest=longest)
            for model in {id(model): model for model in models}.values()
        )

    # Only the first process has the weights of a model that will be sharded.
    if parallel.decided_by_first(all_do):
        return True
    for model in models:
        packed_attention.leave(model)
    return False


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
