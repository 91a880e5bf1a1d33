"""Forms that send answers of a benchmark run to raters, and score them again."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline, Pool, Prompt
from pages.form_parts import NameField, chips, choose_the_only_one, offer, offer_rows, sentence_case
from training.benchmarks.scorecards import rescoring
from training.benchmarks.scorecards.people import rater_campaigns
from training.models import Run, Suite

MAY_UPSET = (Suite.Area.SAFETY, Suite.Area.OVER_REFUSAL)
USUAL_N, USUAL_OVERLAP = 100, 3


class SendForm(forms.Form):
    """Call terms() on a valid form."""

    name = NameField(label=_("Name of the campaign"), max_length=120)
    against = forms.ModelChoiceField(
        label=_("Compare with the answers of"),
        queryset=Run.objects.none(),
        empty_label=_("Choose a run"),
        help_text=_("Raters see both answers side by side, without names."),
    )
    pool = forms.ModelChoiceField(
        label=_("Pool of raters"), queryset=Pool.objects.none(), empty_label=_("Choose a pool")
    )
    guideline = forms.ModelChoiceField(
        label=_("Guideline"),
        queryset=Guideline.objects.none(),
        empty_label=_("Choose a guideline"),
        help_text=_(
            "If its rating form has a scale named “refusal”, from complies to refuses, the raters"
            " also measure the refusal classifier."
        ),
    )
    n = forms.IntegerField(
        label=_("At most this many answers"),
        min_value=1,
        max_value=rater_campaigns.MOST,
        initial=USUAL_N,
    )
    overlap = forms.IntegerField(
        label=_("Raters per answer"), min_value=1, max_value=20, initial=USUAL_OVERLAP
    )
    only_unsure = forms.BooleanField(
        label=_("Only answers of which the refusal classifier is unsure"), required=False
    )
    sensitive = forms.MultipleChoiceField(
        label=_("Upsetting content"),
        required=False,
        widget=chips(),
        choices=sentence_case(Prompt.Upset.choices),
        help_text=_("Only raters who agreed to it get these items."),
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, run: Run, suite: Suite) -> None:
        super().__init__(data)
        others = rater_campaigns.runs_to_compare(run=run, suite=suite)
        offer_rows(
            self.fields["against"],
            Run.objects.filter(pk__in=[other.pk for other in others]).select_related("base_model"),
        )
        self.fields["against"].label_from_instance = _run_words  # type: ignore[attr-defined]
        offer_rows(self.fields["pool"], Pool.objects.order_by("name"))
        offer_rows(self.fields["guideline"], Guideline.objects.order_by("name"))
        self.fields["name"].initial = f"{suite} · {run.base_model.name}"[:120]
        if suite.area in MAY_UPSET:
            self.fields["sensitive"].initial = [Prompt.Upset.OTHER]
        for name in ("against", "pool", "guideline"):
            choose_the_only_one(self.fields[name])

    def terms(self) -> rater_campaigns.Terms:
        chosen = {name: value for name, value in self.cleaned_data.items() if name != "against"}
        return rater_campaigns.Terms(**chosen)


class ScoreAgainForm(forms.Form):
    """Offers the scorers that can read the run's answers."""

    scorer = forms.ChoiceField(label=_("Score again with"))

    def __init__(self, data: Mapping[str, object] | None = None, *, run: Run) -> None:
        super().__init__(data)
        offer(
            self.fields["scorer"],
            [(scorer.name, gettext(scorer.title)) for scorer in rescoring.offered(run=run)],
        )


def _run_words(run: Run) -> str:
    return f"{run.base_model.name} · {run.name}"


def sent_words(sent: rater_campaigns.Sent) -> str:
    """What was sent, and what was left out and why."""
    words = ngettext("%(n)s answer sent to raters.", "%(n)s answers sent to raters.", sent.n) % {
        "n": sent.n
    }
    if not sent.n_left_out:
        return words
    left_out = ngettext(
        "%(n)s was left out: its prompt repeats another, or is nearly one that models train on.",
        "%(n)s were left out: their prompts repeat others, or are nearly ones that models train"
        " on.",
        sent.n_left_out,
    ) % {"n": sent.n_left_out}
    return f"{words} {left_out}"
