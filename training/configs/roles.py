"""The roles of a run's models besides the base model. Form, API, queue, supervisor, archive and
pages use this table: a new role needs a line here, a column of Run, a field of run_dir.Job, and
kinds that take it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from training.configs.knobs import POLICY, REWARD
from training.configs.metrics import _

BASE = "base_model"
"""The model a run starts from. Every run has one."""
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Role:
    """`name` is the field of Run, and the name in forms, URLs and the API."""

    name: str
    kind: str
    """required kind of the model"""
    words: str
    """on a run's page"""
    label: str
    """in the form"""
    help: str
    choose: str
    """empty choice in the form, if the role is required"""
    without: str
    """empty choice in the form, if the role is optional"""
    misfit: str
    """error for a model that cannot have this role; takes the model's name"""
    about: str
    """help text in the API"""
    missing: str = _("%(kind)s needs one more model: “%(role)s”. Choose one.")
    """error if a required role is empty; takes the labels of kind and role"""
    teaches: bool = True
    """whether the run learns from it, so that a withdrawal of its data affects the run"""
    apart_from: str = ""
    """a role that must be filled by a different model"""
    twice: str = ""
    """error for a model in both roles; takes its name"""


_NO_REWARD_MODEL = _("“%(model)s” is not a reward model. Choose another, or none.")
REWARD_MODEL = Role(
    name="reward_model",
    kind=REWARD,
    words=_("reward model"),
    label=_("Reward model"),
    help=_("Scores the responses that the model writes."),
    choose=_("Choose a reward model"),
    without=_("No reward model"),
    missing=_("%(kind)s needs a reward model. Choose one."),
    misfit=_NO_REWARD_MODEL,
    about="Reward model that scores the responses.",
)
WATCHDOG_MODEL = Role(
    name="watchdog_model",
    kind=REWARD,
    words=_("Watchdog"),
    label=_("Watchdog"),
    help=_("Another reward model that scores the responses and is never used for training."),
    choose=_("Choose a reward model"),
    without=_("No watchdog"),
    misfit=_NO_REWARD_MODEL,
    about=("PPO only: a reward model that scores the responses and is never used for training."),
    apart_from="reward_model",
    twice=_("The run already learns from “%(model)s”. Choose another watchdog, or none."),
)
REFERENCE_MODEL = Role(
    name="reference_model",
    kind=POLICY,
    words=_("Reference"),
    label=_("Reference model"),
    help=_(
        "The KL is measured to it, and β holds the model near it. The same one in every cycle"
        " bounds the drift of all of them together."
    ),
    choose=_("Choose a model"),
    without=_("The fine-tuned model that its line began with"),
    misfit=_("“%(model)s” writes no text, so there is no KL to it. Choose another, or none."),
    about=(
        "PPO, RLOO and GRPO: the model that the KL is measured to. Omit it for the fine-tuned model"
        " that the base model's line began with."
    ),
)
OTHER_MODEL = Role(
    name="other_model",
    kind=POLICY,
    words=_("Compared with"),
    label=_("Compared with"),
    help=_("Both answer the same prompts; the reward model decides which did better."),
    choose=_("Choose a model"),
    without=_("No other model"),
    misfit=_("“%(model)s” writes no text to compare with. Choose another, or none."),
    about="Evaluations only: the model to compare with.",
    teaches=False,
)
ATTACKER_MODEL = Role(
    name="attacker_model",
    kind=POLICY,
    words=_("Attacker"),
    label=_("Attacker model"),
    help=_(
        "Adds one more strategy: conversations of several turns, in which this model leads the"
        " other one to each goal."
    ),
    choose=_("Choose a model"),
    without=_("No attacker model"),
    misfit=_("“%(model)s” writes no text to attack with. Choose another, or none."),
    about="Attacks only: the model that leads conversations of several turns.",
    teaches=False,
)
BESIDE = (REWARD_MODEL, WATCHDOG_MODEL, REFERENCE_MODEL, OTHER_MODEL, ATTACKER_MODEL)
NAMES = (BASE, *(role.name for role in BESIDE))
