"""PPO as a kind of run: its measures, charts, checks, cost and presets. knobs.py has its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.curves import Chart, Scatter
from training.configs.knobs import OPTIONAL, REQUIRED
from training.configs.metrics import Best, Measure, _
from training.configs.ppo.knobs import PpoKnobs
from training.configs.weights import DRY_RUN_HELD_OUT, DRY_RUN_STEPS

# In a few thousand episodes, what lies beyond is a habit of the reward model, not a better answer.
KL_CEILING = 10.0
# √KL of 5: where the long runs of Bai 2022 end.
KL_CEILING_LONG = 25.0
# In units of the watchdog's reward, whose mean over demonstrations is 0.
WATCHDOG_DROP = 0.5


@dataclass(frozen=True)
class PpoConfig(PpoKnobs):
    """PPO with a reward model (Ouyang 2022, App. C; Ziegler 2019)."""

    kind: ClassVar[str] = "ppo"
    trainer: ClassVar[str] = "training.trainer.ppo.run"
    label: ClassVar[str] = _("PPO")
    menu: ClassVar[str] = _("Improve with PPO")
    snapshots: ClassVar[tuple[str, ...]] = ("prompts", "demonstrations")
    """from demonstrations it takes the prompts, and the completions for the ptx mix"""
    mixes_text: ClassVar[bool] = True
    takes: ClassVar[Mapping[str, str]] = {
        "reward_model": REQUIRED,
        "watchdog_model": OPTIONAL,
        "reference_model": OPTIONAL,
    }
    reward_button: ClassVar[str] = _("Use in PPO")
    is_parallel: ClassVar[bool] = True
    uses_server: ClassVar[bool] = True
    extended_by: ClassVar[tuple[str, ...]] = ("n_episodes",)
    closes_settings: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "reward",
        "kl",
        "watchdog",
        "response_tokens",
        "ended",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        metrics.HELD_OUT_SPLIT,
        metrics.REWARD,
        metrics.KL,
        Measure("watchdog", _("Watchdog reward")),
        metrics.RESPONSE_TOKENS,
        metrics.ENDED,
        metrics.N_HELD_OUT_PROMPTS,
        Measure("n_episodes", _("episodes")),
        metrics.KEPT_STEP,
        Measure("beta", _("Final β")),
        metrics.N_PROMPTS,
        *metrics.PROMPTS_TOO_LONG,
        Measure("n_ptx", _("Demonstrations in the ptx mix")),
        Measure("n_ptx_cut", _("Of those, truncated at the end")),
        Measure("n_ptx_blocks", _("Blocks of text in the ptx mix")),
        Measure("n_ptx_left_out", _("Demonstrations dropped from the mix: too long")),
        *metrics.IMPORTANCE.values(),
        *metrics.MACHINE,
    )
    best: ClassVar[Best | None] = Best("reward_after", is_more_better=True)
    charts: ClassVar[tuple[Chart, ...]] = (
        curves.REWARD,
        curves.KL,
        curves.RESPONSES,
        curves.ENDED,
        curves.ENTROPY,
        Chart(
            _("Share of tokens that is clipped"),
            "",
            {"clip_fraction": _("policy"), "value_clip_fraction": _("value")},
            from_zero=True,
            group=curves.SYSTEM,
            is_share=True,
        ),
        Chart(
            _("Explained variance"),
            _("of returns"),
            {"explained_variance": _("value model")},
            group=curves.SYSTEM,
        ),
        Chart(
            _("Value loss"),
            "",
            {"value_loss": _("value loss")},
            from_zero=True,
            group=curves.SYSTEM,
        ),
        Chart(_("Loss on the ptx mix"), _("nats per token"), {"ptx_loss": _("ptx")}),
        Chart(_("β"), "", {"beta": _("β")}, from_zero=True, group=curves.SYSTEM),
        *curves.IMPORTANCE,
        *curves.OPTIMIZER,
    )
    scatter: ClassVar[Scatter | None] = Scatter(
        _("Reward by drift"),
        "sqrt_kl",
        _("√KL"),
        "reward",
        _("per response"),
        _("reward"),
        {"watchdog": _("watchdog")},
    )
    """Where the curve bends down, the model exploits the reward model (Gao 2022)."""
    undrawn: ClassVar[tuple[str, ...]] = (
        "sqrt_kl",
        "learned_reward",
        "value",
        "policy_loss",
        "approximate_kl",
        "log_loss",
        "repetition",
        "rollout_s",
        "update_s",
        "held_out_reward_low",
        "held_out_reward_high",
        "held_out_watchdog",
        "held_out_response_tokens",
        "held_out_ended",
        "held_out_n",
    )

    def for_dry_run(self) -> Self:
        n_prompts = min(self.max_held_out_prompts, DRY_RUN_HELD_OUT)
        return replace(
            self,
            n_episodes=DRY_RUN_STEPS * self.batch_size,
            max_held_out_prompts=n_prompts,
            evaluate_every=0,
            checkpoint_every=0,
            keeps_state="never",
            n_spot_checks=0,
        )

    def problems(self) -> list[Problem]:
        """Problems between fields that are valid by themselves."""
        if self.batch_size % self.n_minibatches:
            text = _(
                "A rollout of %(size)s episodes can't be split into %(n)s equal minibatches. Change"
                " one of the two."
            )
            values = {"size": self.batch_size, "n": self.n_minibatches}
            return [Problem("n_minibatches", text, values)]
        return []

    def data_problems(self, snapshot: str, *, has_text: bool = False) -> list[str]:
        if self.ptx_coef and snapshot == "prompts" and not has_text:
            return [
                _(
                    "PPO-ptx mixes text or demonstrations in, and a snapshot of prompts has none."
                    " Choose a text, or set γ of PPO-ptx to 0."
                )
            ]
        if has_text and not self.ptx_coef:
            return [_("The text is not used while γ of PPO-ptx is 0. Raise γ, or choose no text.")]
        return []

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        problems = []
        if self.batch_size % n_processes:
            problems.append(
                _(
                    "The episodes of a batch do not divide evenly among the processes. Change one"
                    " of the two numbers."
                )
            )
        elif self.batch_size // n_processes % self.n_minibatches:
            problems.append(
                _(
                    "The episodes of each process do not divide evenly into the minibatches. Change"
                    " the rollout, the minibatches or the processes."
                )
            )
        return problems

    def longest(self, rows: sizes.Rows) -> float:
        return rows.written(
            max_prompt_tokens=self.max_prompt_tokens, max_new_tokens=self.max_new_tokens
        )

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        n_steps = max(1, self.n_episodes // self.batch_size)
        return n_steps, round(n_steps * self.batch_size * self.longest(rows))

    def tokens_at_once(self, rows: sizes.Rows) -> float:
        return self.row_tokens

    def n_trained(self, shape: Shape) -> int:
        """Policy and value model."""
        return 2 * super().n_trained(shape)

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        """Reference, reward model and watchdog. With full fine-tuning the reward model counts like
        the base model.
        """
        judge = shape if self.method == "full" else beside.get("reward_model", shape)
        watching = beside["watchdog_model"].n_parameters if "watchdog_model" in beside else 0
        return shape.n_parameters + judge.n_parameters + watching

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(
                n_episodes=152,
                batch_size=8,
                # One update a rollout is no PPO: the ratio is 1 and nothing is ever clipped.
                n_minibatches=2,
                n_inner_epochs=2,
                learning_rate=1e-4,
                value_learning_rate=2e-4,
                warmup_steps=3,
                kl_coef=0.05,
                max_new_tokens=48,
                max_prompt_tokens=192,
                row_tokens=512,
                # two evaluations during training cost about half a minute on two cores
                max_held_out_prompts=16,
                evaluate_every=7,
                checkpoint_every=5,
            ),
            "balanced": cls(
                n_minibatches=4,
                n_inner_epochs=2,
                kl_ceiling=KL_CEILING,
                watchdog_drop=WATCHDOG_DROP,
            ),
            "thorough": cls(
                method="full",
                kl_ceiling=KL_CEILING_LONG,
                watchdog_drop=WATCHDOG_DROP,
                n_episodes=256_000,
                batch_size=512,
                n_minibatches=8,
                # the middle of its sweep, 2.55e-6 to 2.55e-5, and the highest that held without ptx
                learning_rate=8e-6,
                value_learning_rate=9e-6,
                ptx_coef=27.8,
                ptx_per_episode=8.0,
                ema_decay=0.992,
                max_held_out_prompts=500,
            ),
        }
