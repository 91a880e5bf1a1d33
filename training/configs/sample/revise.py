"""Settings of constitutional revision."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import Problem, knob, override
from training.configs import curves, metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs
from training.configs.curves import DATA, Chart
from training.configs.knobs import ONLY_TRAINING_SHARDS, RESPONSES, Responses, Settings
from training.configs.metrics import SHARE, Measure, _

# What a prompt of critique or revision is filled in with.
PRINCIPLE, CRITIQUE = "{principle}", "{critique}"


@dataclass(frozen=True)
class ReviseConfig(Settings):
    """A model's answers, criticised by a principle and revised by the model itself, round by round
    (Bai 2022, Constitutional AI, §3.1).
    """

    kind: ClassVar[str] = "revise"
    trainer: ClassVar[str] = "training.trainer.sample.revise"
    label: ClassVar[str] = _("revision")
    menu: ClassVar[str] = _("Revise answers by principles")
    snapshots: ClassVar[tuple[str, ...]] = ("prompts",)
    snapshot_label: ClassVar[str] = _("Prompts to answer")
    snapshot_heading: ClassVar[str] = _("Prompts")
    model_label: ClassVar[str] = _("Model that answers")
    model_button: ClassVar[str] = _("Revise answers")
    leaves: ClassVar[str] = RESPONSES
    reads_principles: ClassVar[bool] = True
    headlines: ClassVar[tuple[str, ...]] = (
        "n_responses",
        "n_revised",
        "share_revised",
        "n_prompts",
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("n_revised", _("answers revised"), judged_on=(metrics.ON_PROMPTS,)),
        Measure("share_revised", _("Share of revisions kept"), SHARE),
        metrics.N_PROMPTS,
        *metrics.PROMPTS_TOO_LONG,
        Measure("n_responses", _("responses")),
        Measure("n_same", _("Revisions left out: nothing changed")),
        Measure("n_empty", _("Revisions left out: empty")),
        Measure("n_cut", _("Revisions left out: cut off")),
        Measure("mean_tokens", _("Mean length (tokens)")),
        *metrics.MACHINE,
    )
    charts: ClassVar[tuple[Chart, ...]] = (
        Chart(
            _("Share of revisions kept"),
            "",
            {"share_revised": _("kept")},
            group=DATA,
            is_share=True,
        ),
        curves.RESPONSES,
    )

    constitution: int = knob(
        0,
        _("Constitution"),
        _("The version of a guideline whose principles are used."),
        min=0,
        max=2**31 - 1,
        api=(
            "The id of a version of a guideline whose questions have principles. Required for runs"
            " of the kind `revise`."
        ),
    )
    n_rounds: int = knob(
        2,
        _("Rounds"),
        _("Each draws a principle for each answer, and criticises and revises the answer by it."),
        min=1,
        max=16,
    )
    critique_prompt: str = knob(
        "Criticise your last answer. Does it keep to this principle? “{principle}” Name what breaks"
        " it, as briefly as you can.",
        _("Prompt for the critique"),
        _("{principle} is replaced by the principle."),
        max=2000,
    )
    revision_prompt: str = knob(
        "Your last answer was criticised: “{critique}” Write the answer again, so that it keeps to"
        " this principle: “{principle}” Write only the new answer.",
        _("Prompt for the revision"),
        _("{principle} and {critique} are replaced by the principle and the critique."),
        max=2000,
    )
    max_new_tokens: int = override(Responses, "max_new_tokens")
    temperature: float = override(
        Responses,
        "temperature",
        help=_("How far the model strays from its most likely token. 0 always picks that token."),
    )
    top_p: float = override(Responses, "top_p", default=0.95)
    seed: int = override(
        Settings,
        "seed",
        help=_("The same seed, prompts and machine give the same principles and responses."),
        is_advanced=False,
    )
    batch_size: int = knob(
        16,
        _("Batch size"),
        _("Responses written at once. Lower it if memory runs out."),
        unit=_("responses"),
        min=1,
        max=4096,
        is_advanced=True,
    )
    max_prompts: int | None = knob(
        None,
        _("Max prompts"),
        _("Random sample with the share of each split; leave empty for all."),
        unit=_("prompts"),
        min=1,
        max=10_000_000,
    )
    max_prompt_tokens: int = override(Responses, "max_prompt_tokens", is_advanced=True)
    n_shown: int = override(Responses, "n_shown")

    def for_dry_run(self) -> Self:
        most = 2 * self.batch_size
        return replace(self, max_prompts=min(self.max_prompts or most, most))

    def launch_problems(self, *, n_processes: int, n_machines: int, is_sharded: bool) -> list[str]:
        return [ONLY_TRAINING_SHARDS] if is_sharded else []

    def problems(self) -> list[Problem]:
        """Problems between fields that are valid by themselves."""
        needed = {
            "critique_prompt": (PRINCIPLE,),
            "revision_prompt": (PRINCIPLE, CRITIQUE),
        }
        return [
            Problem(
                name,
                _("The prompt has no %(part)s. Write it where the text belongs."),
                {"part": part},
            )
            for name, parts in needed.items()
            for part in parts
            if part not in getattr(self, name)
        ]

    @property
    def sampling(self) -> dict[str, float]:
        """As stored with a response."""
        names = ("temperature", "top_p", "max_new_tokens", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def longest_prompt(self) -> int:
        """Tokens of the prompt, the answer and the critique, with room for the words around."""
        return self.max_prompt_tokens + 2 * self.max_new_tokens

    def longest(self, rows: sizes.Rows) -> float:
        written = rows.written(
            max_prompt_tokens=self.max_prompt_tokens, max_new_tokens=self.max_new_tokens
        )
        return written + 2 * self.max_new_tokens

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        n_prompts = min(rows.n_prompts, self.max_prompts or rows.n_prompts)
        n_written = n_prompts * (1 + 2 * self.n_rounds)
        return math.ceil(n_prompts / self.batch_size), round(n_written * self.longest(rows))

    @property
    def n_sequences(self) -> int:
        return self.batch_size

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {
            "small": cls(max_new_tokens=64, max_prompts=20, max_prompt_tokens=256),
            "balanced": cls(),
            "thorough": cls(n_rounds=4, max_new_tokens=1024, max_prompt_tokens=4096),
        }
