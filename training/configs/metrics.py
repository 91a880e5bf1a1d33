"""Measures that several kinds of run share, with labels. Each kind lists its own in
display order.
"""

from dataclasses import dataclass

from knobs.fields import _ as _

NUMBER, SHARE, DURATION, SPLIT = "number", "share", "duration", "split"


@dataclass(frozen=True)
class Counted:
    """A count at the end of a sentence, such as “on 312 held-out pairs”. `name` is its measure;
    `one` is for 1, `many` for other numbers.
    """

    name: str
    one: str
    many: str


@dataclass(frozen=True)
class Measure:
    """A key of a run's metrics. `name` has no `_before` or `_after`: both are shown in one line.
    `form`: NUMBER, SHARE (as a percentage), DURATION (in seconds) or SPLIT (a name).
    `judged_on`: what it was measured on; the first that the run has counts.
    """

    name: str
    words: str
    form: str = NUMBER
    judged_on: tuple[Counted, ...] = ()


NOT_LISTED = frozenset(
    {
        "calibration",
        "certainty",
        "margins",
        "shape",
        "accuracy_by",
        "strangeness_left_out",
        "cross_validation",
        "writing_share",
        "measuring_share",
        "updating_share",
        "else_share",
        "waiting_share",
        "reward_gain",
        "held_out_loss_change",
    }
)
"""Keys that are no measures: drawn, said in a sentence, shown in a table of their own, or used by
estimates.
"""
FEWEST_PAIRS = 100
"""Fewer held-out pairs say nothing of a reward model's calibration."""
_PARTS = ("_before", "_after", "_low", "_high")


def base_name(key: str) -> str:
    """The measure that a key of a run's metrics belongs to."""
    while part := next((suffix for suffix in _PARTS if key.endswith(suffix)), ""):
        key = key.removesuffix(part)
    return key


@dataclass(frozen=True)
class Best:
    """The metric that decides which of two models of a kind is better."""

    metric: str
    is_more_better: bool


ON_PAIRS = Counted("n_held_out_pairs", _("on %(n)s held-out pair"), _("on %(n)s held-out pairs"))
ON_ROWS = Counted("n_held_out", _("on %(n)s held-out row"), _("on %(n)s held-out rows"))
ON_THESE_ROWS = Counted("n_rows", _("on %(n)s row"), _("on %(n)s rows"))
ON_HELD_OUT_PROMPTS = Counted(
    "n_held_out_prompts", _("on %(n)s held-out prompt"), _("on %(n)s held-out prompts")
)
ON_PROMPTS = Counted("n_prompts", _("on %(n)s prompt"), _("on %(n)s prompts"))

HELD_OUT_LOSS = Measure(
    "held_out_loss", _("Held-out loss"), judged_on=(ON_PAIRS, ON_ROWS, ON_THESE_ROWS)
)
HELD_OUT_ACCURACY = Measure(
    "held_out_accuracy", _("Held-out pair accuracy"), SHARE, judged_on=(ON_PAIRS,)
)
HELD_OUT_MARGIN = Measure("held_out_margin", _("Mean reward difference"), judged_on=(ON_PAIRS,))
LENGTH_CORRELATION = Measure("reward_length_correlation", _("Correlation of reward with length"))
CALIBRATION = (
    Measure("temperature", _("Best temperature")),
    Measure("calibration_error", _("Calibration error at that temperature")),
)
HELD_OUT_SPLIT = Measure("held_out_split", _("Measured on"), SPLIT)
N_HELD_OUT = Measure("n_held_out", _("Held-out rows"))
N_HELD_OUT_PAIRS = Measure("n_held_out_pairs", _("Held-out pairs"))
N_TRAIN = Measure("n_train", _("Training rows"))
N_TRAIN_PAIRS = Measure("n_train_pairs", _("Training pairs"))
N_TIES = Measure("n_ties", _("Ties (not used)"))
N_CUT = Measure("n_cut", _("Rows truncated"))
N_LEFT_OUT = Measure("n_left_out", _("Rows dropped"))
N_RESPONSES_LEFT_OUT = Measure("n_responses_left_out", _("Responses dropped: too long"))
N_PROMPTS_CUT = Measure("n_prompts_cut", _("Prompts truncated at the start"))

REWARD = Measure("reward", _("reward"), judged_on=(ON_HELD_OUT_PROMPTS, ON_PROMPTS))
BEST_REWARD = Measure("best_reward", _("Reward of the best response per prompt"))
RESPONSE_TOKENS = Measure("response_tokens", _("Mean length (tokens)"))
THINKING_TOKENS = Measure("thinking_tokens", _("Mean thinking length (tokens)"))
ENDED = Measure("ended", _("Finished naturally"), SHARE)
N_HELD_OUT_PROMPTS = Measure("n_held_out_prompts", _("Held-out prompts"))
N_PROMPTS = Measure("n_prompts", _("Prompts answered"))
PROMPTS_TOO_LONG = (
    Measure("n_prompts_too_long", _("Prompts dropped: too long")),
    Measure("n_held_out_prompts_too_long", _("Held-out prompts dropped: too long")),
)

SCORES = {
    "reward": _("reward"),
    "other_reward": _("reward of the other model"),
    "kl": _("KL"),
    "is_ended": _("finished naturally"),
    "held_out": _("held out"),
}
"""What is said of a sampled response."""

KL = Measure("kl", _("KL to the reference model, nats per response"))
KEPT_STEP = Measure("kept_step", _("Step kept"))
IMPORTANCE = {
    "importance_ratio": Measure("importance_ratio", _("Mean weight of what the server wrote")),
    "importance_capped": Measure(
        "importance_capped", _("Share of what the server wrote at the largest weight"), SHARE
    ),
}
"""Of tokens, or of responses where the ratio is per response."""
PERPLEXITY = Measure("perplexity", _("Perplexity"))
N_TOKENS = Measure("n_tokens", _("tokens"))

ELSE, WAITING = "else_share", "waiting_share"
TIMES = {
    "writing_share": _("writing responses"),
    "measuring_share": _("measuring responses"),
    "updating_share": _("updating weights"),
    ELSE: _("evaluations, checkpoints and everything else"),
}
"""What the steps of a run spend their time on; they make one sentence."""
MACHINE = (
    Measure("peak_memory_gb", _("Peak memory (GB)")),
    Measure("seconds", _("Duration"), DURATION),
)
