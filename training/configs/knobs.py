"""What the configs of all kinds of run have in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from knobs.fields import Problem, knob
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs, Shape
from training.configs.curves import Chart, Scatter
from training.configs.metrics import Best, Measure, _

DTYPES = {
    "auto": _("Automatic: bfloat16 if the hardware is fast at it, else float32"),
    "bfloat16": _("bfloat16: half the memory"),
    "float32": _("float32: exact"),
}
OPTIONAL, REQUIRED = "optional", "required"
ONLY_TRAINING_SHARDS = _("FSDP shards models in training. Choose DDP to share this work.")
# Kinds of model, and what else a run can produce.
POLICY, REWARD, RESPONSES = "policy", "reward", "responses"


@dataclass(frozen=True)
class Row:
    """Settings that belong together, under one name in the form: `fields`."""

    label: str
    help: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A part of the form with its own heading, after the main settings."""

    title: str
    help: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Settings(ABC):
    """The common config of all kinds, and what each kind declares about itself besides its
    settings.
    """

    kind: ClassVar[str]
    """name in URLs, API and database: lower-case letters, digits and hyphens"""
    label: ClassVar[str]
    """name shown to people"""
    menu: ClassVar[str]
    """label of the button for a new run"""
    trainer: ClassVar[str] = ""
    """module with `carry_out`; by default training.trainer.<kind>, with underscores for hyphens"""

    snapshots: ClassVar[tuple[str, ...]]
    """kinds of snapshot it takes; the usual one first"""
    snapshot_label: ClassVar[str] = _("Data")
    """label of the form's snapshot field"""
    snapshot_heading: ClassVar[str] = _("Data")
    """heading above the snapshot on a run's page"""
    snapshot_button: ClassVar[str] = _("Train")
    """button on the page of a snapshot for which this is the default kind"""

    reads_goals: ClassVar[bool] = False
    """whether its form offers only suites with something that a model should refuse"""

    reads_principles: ClassVar[bool] = False
    """whether it needs principles: those of the guideline version in its setting `constitution`"""

    mixes_text: ClassVar[bool] = False
    """whether it also takes a snapshot of text, to mix in"""

    starts_from: ClassVar[tuple[str, ...]] = (POLICY,)
    """kinds of base model it takes"""
    model_label: ClassVar[str] = _("Starts from")
    """label of the form's base model field"""
    model_button: ClassVar[str] = ""
    """button on the page of a model it can ask; "" for none. What trains is in a menu there."""
    takes_endpoints: ClassVar[bool] = False
    """whether it takes external models"""
    takes: ClassVar[Mapping[str, str]] = {}
    """other models: role name (training.configs.roles) → OPTIONAL or REQUIRED"""
    reward_button: ClassVar[str] = ""
    """button on the page of a reward model; "" for none"""

    sections: ClassVar[tuple[Section, ...]] = ()
    """settings that its form shows apart, row by row"""

    closes_settings: ClassVar[bool] = False
    """whether its form leaves open only what limits its length"""

    leaves: ClassVar[str] = POLICY
    """kind of model it produces; or RESPONSES, or "" for nothing"""
    is_parallel: ClassVar[bool] = False
    """whether several processes can share the work"""
    uses_server: ClassVar[bool] = False
    """whether a vLLM server can write its responses, on GPUs beyond those of its processes"""
    extended_by: ClassVar[tuple[str, ...]] = ()
    """settings that limit its length; an extension raises the first one that is set"""

    measures: ClassVar[tuple[Measure, ...]]
    """its metrics, in display order"""
    headlines: ClassVar[tuple[str, ...]] = ()
    """measures that are its result, the most important first; the first four that the run has are
    shown above everything else, and the first one makes the sentence"""
    best: ClassVar[Best | None] = None
    """the metric that decides which model is the best and kept; None: only the latest is kept"""
    charts: ClassVar[tuple[Chart, ...]]
    """its charts, most important first; each names its group"""
    undrawn: ClassVar[tuple[str, ...]] = ()
    """curves that are not drawn; a curve that is in neither list is drawn last"""
    scatter: ClassVar[Scatter | None] = None
    """drawn third if both of its metrics exist"""
    has_curves: ClassVar[bool] = True
    """False if everything is measured once, so that there is nothing to draw"""

    seed: int = knob(
        42,
        _("Seed"),
        _("The same seed, snapshot and machine give the same run."),
        min=0,
        max=2**31 - 1,
        is_advanced=True,
        is_last=True,
    )
    dtype: str = knob(
        "auto",
        _("Precision"),
        _("Precision used for training."),
        choices=DTYPES,
        is_advanced=True,
        is_last=True,
    )
    allows_hub: bool = knob(
        False,
        _("Allow hub downloads"),
        _(
            "Lets the run download a model from the hub by name. When off, nothing leaves the node"
            " and only local folders load."
        ),
        is_advanced=True,
        is_last=True,
    )

    @classmethod
    def leaves_model(cls) -> bool:
        return cls.leaves in (POLICY, REWARD)

    @classmethod
    @abstractmethod
    def presets(cls) -> Mapping[str, Self]:
        """small: minutes on two CPU cores; balanced: one GPU; thorough: the published settings."""

    def problems(self) -> list[Problem]:
        """Problems between fields that are valid by themselves."""
        return []

    def for_dry_run(self) -> Self:
        """The settings of a dry run: load everything, make two steps, measure a few rows."""
        return self

    @classmethod
    def misfit(cls, inputs: Inputs) -> str:
        """Why these inputs do not go together, although each is of an accepted kind; ""
        if they do.
        """
        return ""

    def data_problems(self, snapshot: str, *, has_text: bool = False) -> list[str]:
        """Why these settings cannot be used with this kind of snapshot, although runs of this kind
        can. `has_text`: with a snapshot of text to mix in.
        """
        return []

    def input_problems(self, inputs: Inputs) -> list[str]:
        """Why these settings cannot be used with these inputs, although each is accepted."""
        return []

    @property
    def patterns(self) -> tuple[str, ...]:
        """The regular expressions that it uses; RE2 has to read them."""
        return ()

    @property
    def keeps_weights(self) -> bool:
        """Whether the resulting model descends from the base model."""
        return True

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        """What is wrong with this number of processes (in total) and machines. `is_sharded`: by
        FSDP.
        """
        return []

    # --- what it costs --------------------------------------------------------------------------

    @abstractmethod
    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        """(steps, tokens processed while training or generating, counting each row once
        per epoch).
        """

    def longest(self, rows: sizes.Rows) -> float:
        """Tokens of a prompt and a response of maximum length."""
        return rows.prompt_tokens + rows.response_tokens

    @property
    def n_sequences(self) -> int:
        """Responses generated at once."""
        return 1

    def n_trained(self, shape: Shape) -> int:
        """Trained parameters."""
        return 0

    def n_frozen(self, shape: Shape, beside: Mapping[str, Shape]) -> int:
        """Parameters loaded but not trained. `beside`: the other models by role; a required one
        that is not chosen yet counts like the base model.
        """
        return shape.n_parameters

    def memory(self, rows: sizes.Rows, shape: Shape, beside: Mapping[str, Shape]) -> float:
        """Bytes per GPU if each GPU holds whole models (one GPU, or DDP).

        For a kind that does not train: weights, KV cache, and logits of the next token.
        """
        precision = sizes.BYTES[self.dtype]
        cache = self.longest(rows) * shape.n_layers * 2 * shape.kv_width * precision
        a_sequence = cache + shape.vocabulary * sizes.LOGIT_BYTES
        frozen = self.n_frozen(shape, beside) * precision
        return frozen + self.n_sequences * a_sequence + sizes.OVERHEAD_BYTES

    def disk(self, shape: Shape) -> float:
        """Bytes of its model and checkpoints."""
        return 0.0


@dataclass(frozen=True)
class Responses:
    """Fields of kinds whose model writes responses. A kind takes them with `override`, at their
    place in its form.
    """

    max_new_tokens: int = knob(
        256,
        _("Max response length"),
        _("Responses that are longer are cut off here."),
        unit=_("tokens"),
        min=1,
        max=32768,
    )
    max_thinking_tokens: int = knob(
        0,
        _("Max thinking length"),
        _(
            "For models that think before they answer: tokens for the thinking, beside those of the"
            " response. Then it is closed, and the answer begins. 0: thinking and answer share the"
            " max response length, and a response that is still thinking there has no answer. An"
            " external model is given the sum, and divides it itself."
        ),
        unit=_("tokens"),
        min=0,
        max=131072,
        is_advanced=True,
    )
    max_prompt_tokens: int = knob(
        1024,
        _("Max prompt length"),
        _("Longer prompts are dropped and reported."),
        unit=_("tokens"),
        min=8,
        max=131072,
    )
    temperature: float = knob(1.0, _("Temperature"), "", min=0.0, max=5.0)
    top_p: float = knob(
        1.0,
        _("Top-p"),
        _("Sample only from the most likely tokens that together have this probability."),
        min=0.01,
        max=1.0,
        is_advanced=True,
    )
    missing_end_penalty: float = knob(
        1.0,
        _("Unfinished penalty"),
        _("Subtracted from the reward of a response that does not end."),
        min=0.0,
        max=1000.0,
        is_advanced=True,
    )
    n_shown: int = knob(
        8,
        _("Samples shown"),
        _("Number of responses shown on the run's page."),
        min=0,
        max=200,
        is_advanced=True,
    )
    kl_coef: float = knob(0.02, _("β (KL)"), "", min=0.0, max=10.0)


@dataclass(frozen=True)
class SpotCheckKnobs:
    """Fields of kinds whose checkpoints raters may compare during training. A kind takes them with
    `override`, at their place in its form.
    """

    n_spot_checks: int = knob(
        0,
        _("Spot checks"),
        _(
            "How often raters compare the model so far with the kept one, blind, at equal distances"
            " over the run. It replaces the kept one if it is surely better, and the kept one is"
            " saved. 0: never."
        ),
        min=0,
        max=100,
        is_last=True,
    )
    spot_pairs: int = knob(
        40,
        _("Pairs per spot check"),
        _("Held-out prompts that raters answer each time, once each. 20 to 40 are enough."),
        unit=_("pairs"),
        min=5,
        max=1000,
        is_last=True,
    )
    spot_waits: str = knob(
        "end",
        _("Wait for raters"),
        _("Training may go on while raters answer. The GPU is idle while it waits."),
        choices={"end": _("At the end only"), "each": _("At each spot check")},
        is_last=True,
    )
    spot_wait_h: float = knob(
        24.0,
        _("Wait at most"),
        _("After that, the run goes on or ends with what raters have decided. 0: never wait."),
        unit=_("hours"),
        min=0.0,
        max=720.0,
        is_last=True,
    )

    def spot_steps(self, n_steps: int) -> list[int]:
        """The steps after which raters are asked, at equal distances; the last one at the end."""
        numbers = range(1, self.n_spot_checks + 1)
        return sorted({math.ceil(n_steps * n / self.n_spot_checks) for n in numbers} - {0})

    def n_spot_votes(self, n_steps: int, n_held_out: int) -> int:
        """At most: what raters are asked in all, with so many held-out prompts in the snapshot."""
        most = getattr(self, "max_held_out_prompts", getattr(self, "max_held_out_rows", None))
        n_prompts = n_held_out if most is None else min(n_held_out, most)
        return len(self.spot_steps(n_steps)) * min(self.spot_pairs, n_prompts)


@dataclass(frozen=True)
class ServerKnobs:
    """Fields of kinds that learn from responses which a vLLM server may write, with TRL's names."""

    vllm_importance_sampling_correction: bool = knob(
        True,
        _("Correct for the server"),
        _(
            "Where a vLLM server writes the responses: weighs what it wrote by how much likelier"
            " the policy finds it than the server did. The two compute in different ways."
        ),
        is_advanced=True,
        is_last=True,
    )
    vllm_importance_sampling_clip_max: float = knob(
        3.0,
        _("Largest weight"),
        _("Weights of that correction are truncated here. A weight of 1 changes nothing."),
        min=1.0,
        max=1000.0,
        is_advanced=True,
        is_last=True,
    )
