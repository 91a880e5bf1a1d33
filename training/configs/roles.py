"""The parts that models play in a run beside the one that it starts from. Form, API, queue,
supervisor, archive and pages go through this table: a new role is a line here, a column of Run, a
field of run_dir.Job, and the kinds that take it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from training.configs.knobs import POLICY, REWARD
from training.configs.metrics import _

BASE = "base_model"
"""The model that a run starts from: every run has one, of a kind that its config names."""
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Role:
    """`name` is the field of the run, and the name in forms, addresses and the API."""

    name: str
    kind: str
    """what the model must be"""
    words: str
    """on a run's page"""
    label: str
    """in the form"""
    help: str
    choose: str
    """in the form, where a kind requires one"""
    without: str
    """in the form, where a kind does not"""
    misfit: str
    """of a model that cannot have the role; takes its name"""
    about: str
    """for the API"""
    missing: str = _("%(kind)s needs one more model: “%(role)s”. Choose one.")
    """where a kind requires one; takes the kind's label and this role's"""
    teaches: bool = True
    """whether a withdrawal of what it learned from touches the run"""
    apart_from: str = ""
    """a role that the same model cannot have as well"""
    twice: str = ""
    """of a model that has both; takes its name"""


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
    about="judges the responses",
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
    about="scores the responses of PPO and is never learned from",
    apart_from="reward_model",
    twice=_("The run already learns from “%(model)s”. Choose another watchdog, or none."),
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
    about="compared with, of evaluations",
    teaches=False,
)
BESIDE = (REWARD_MODEL, WATCHDOG_MODEL, OTHER_MODEL)
NAMES = (BASE, *(role.name for role in BESIDE))
