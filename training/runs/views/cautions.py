"""What a reader of a run's result should know before they use it."""

from django.utils.translation import gettext

from training.models import Run
from training.registry import selectors as registry_selectors


def caution(run: Run) -> str:
    """A win rate by the reward model that the winner was trained to please is no evidence."""
    judge, model = run.reward_model, run.base_model
    if judge is None or "win_rate" not in run.metrics:
        return ""
    if not registry_selectors.is_optimised_on(model=model, judge=judge):
        return ""
    return gettext(
        "“%(judge)s” decided this win rate, and “%(model)s” was trained to please it. It shows that"
        " the training worked, not that people prefer the model."
    ) % {"judge": judge, "model": model}
