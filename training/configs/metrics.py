"""The measures that several kinds of run have in common, with their names in words. A kind lists
its own in the order in which they are shown.
"""

from dataclasses import dataclass

from training.configs.words import _

NUMBER, SHARE, DURATION = "number", "share", "duration"


@dataclass(frozen=True)
class Measure:
    """A key of a run's metrics. `name` is without `_before` and `_after`: both are shown in one
    line. `form`: NUMBER, SHARE (shown in percent) or DURATION (in seconds).
    """

    name: str
    words: str
    form: str = NUMBER


@dataclass(frozen=True)
class Best:
    """The metric that decides which of two models of a kind is better."""

    metric: str
    is_more_better: bool


HELD_OUT_LOSS = Measure("held_out_loss", _("held-out loss"))
HELD_OUT_ACCURACY = Measure("held_out_accuracy", _("held-out pair accuracy"), SHARE)
ACCURACY_INTERVAL = (
    Measure("held_out_accuracy_low", _("lower end of its interval"), SHARE),
    Measure("held_out_accuracy_high", _("upper end of its interval"), SHARE),
)
HELD_OUT_MARGIN = Measure("held_out_margin", _("mean reward difference"))
LENGTH_CORRELATION = Measure("reward_length_correlation", _("correlation of reward with length"))
HELD_OUT_SPLIT = Measure("held_out_split", _("measured on"))
N_HELD_OUT = Measure("n_held_out", _("held-out rows"))
N_HELD_OUT_PAIRS = Measure("n_held_out_pairs", _("held-out pairs"))
N_TRAIN = Measure("n_train", _("rows learned from"))
N_TRAIN_PAIRS = Measure("n_train_pairs", _("pairs learned from"))
N_TIES = Measure("n_ties", _("ties, which decide nothing"))
N_CUT = Measure("n_cut", _("rows cut at the longest row"))
N_LEFT_OUT = Measure("n_left_out", _("rows left out"))
N_RESPONSES_LEFT_OUT = Measure("n_responses_left_out", _("responses left out: too long"))
N_PROMPTS_CUT = Measure("n_prompts_cut", _("prompts that lost their beginning"))

REWARD = Measure("reward", _("reward"))
BEST_REWARD = Measure("best_reward", _("reward of the best response to each prompt"))
RESPONSE_TOKENS = Measure("response_tokens", _("mean length in tokens"))
ENDED = Measure("ended", _("ended by themselves"), SHARE)
N_HELD_OUT_PROMPTS = Measure("n_held_out_prompts", _("held-out prompts"))
N_PROMPTS = Measure("n_prompts", _("prompts answered"))
PROMPTS_TOO_LONG = (
    Measure("n_prompts_too_long", _("prompts left out: too long")),
    Measure("n_held_out_prompts_too_long", _("held-out prompts left out: too long")),
)

PERPLEXITY = Measure("perplexity", _("perplexity"))
N_TOKENS = Measure("n_tokens", _("tokens"))

MACHINE = (
    Measure("peak_memory_gb", _("memory at its highest, GB")),
    Measure("seconds", _("took"), DURATION),
)
