"""What can be trained on a campaign: which template of a schedule, or why not, and how well its
method did where we measured it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.kinds.choices import Answer
from labeling.models import Campaign
from training.snapshots.contents.filters import Judges
from training.train_on_campaign.answers import ExpectedSnapshot, expected
from training.train_on_campaign.measured import METHODS

BETTER, TUNED, REWARD = "better", "tuned", "reward"
LABELS: dict[str, Promise] = {
    BETTER: _("A better model"),
    TUNED: _("A fine-tuned model"),
    REWARD: _("A reward model"),
}


@dataclass(frozen=True)
class Offer:
    """`why_not` is "" if it can be trained; then there are a template and data."""

    name: str
    about: str
    why_not: str = ""
    template: str = ""
    data: ExpectedSnapshot | None = None

    @property
    def label(self) -> Promise:
        return LABELS[self.name]


def offers(*, campaign: Campaign, judges: str = Judges.NONE, now: datetime) -> list[Offer]:
    """Each of the three, the recommended one first. `judges`: whose verdicts go in beside votes."""
    if campaign.pool.is_held_out:
        why_not = gettext("Its pool is for evaluation only. Choose a campaign of another pool.")
        return [Offer(name, "", why_not) for name in LABELS]
    if campaign.about.answer == Answer.COMPARISON:
        return _of_comparisons(campaign, judges, now)
    written = expected(campaign=campaign, kind="demonstrations", now=now)
    needs_comparisons = gettext(
        "Needs comparisons, and raters of this campaign write demonstrations. Choose a campaign in"
        " which responses are compared."
    )
    return [
        _offer(TUNED, "fine-tune-gate", written, gettext("Learns from its demonstrations.")),
        Offer(BETTER, "", needs_comparisons),
        Offer(REWARD, "", needs_comparisons),
    ]


def _of_comparisons(campaign: Campaign, judges: str, now: datetime) -> list[Offer]:
    pairs = expected(campaign=campaign, kind="comparisons", judges=judges, now=now)
    voted = expected(campaign=campaign, kind="votes", now=now)
    by_dpo = gettext("Recommended for rankings: learns from its decided pairs with DPO.")
    better = _offer(BETTER, "dpo", pairs, f"{by_dpo} {_in_words('dpo')}")
    if pairs.why_empty:
        marked = expected(campaign=campaign, kind="unpaired", judges=judges, now=now)
        by_kto = gettext(
            "Recommended without rankings: learns from what raters call good or bad with KTO."
        )
        if not marked.why_empty:
            better = _offer(BETTER, "kto", marked, f"{by_kto} {_in_words('kto')}")
    by_sft = gettext("Learns from the responses that its raters clearly prefer.")
    scores = gettext("Learns from its decided pairs to score responses. Writes none itself.")
    return [
        better,
        _offer(TUNED, "preferred", voted, f"{by_sft} {_in_words('sft')}"),
        _offer(REWARD, "reward", pairs, scores),
    ]


def _offer(name: str, template: str, data: ExpectedSnapshot, about: str) -> Offer:
    return Offer(name, about, data.why_empty, template, data)


def _in_words(method: str) -> str:
    measured = METHODS[method]
    words = _(
        "Where we measured it, its model won %(rate)s %% of comparisons with the first model (95 %%"
        " interval %(low)s to %(high)s), at a KL of %(kl)s nats per response."
    )
    return words % {
        "rate": f"{100 * measured.win_rate:.1f}",
        "low": f"{100 * measured.low:.1f}",
        "high": f"{100 * measured.high:.1f}",
        "kl": f"{measured.kl:.1f}",
    }
