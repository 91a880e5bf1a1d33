"""The fields of a schedule's form about a cycle's data: prompts to practise on, what raters are
asked, and what the gate demands.
"""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline, Pool
from training.benchmarks.suites.choices import SuitesField
from training.models import Snapshot, TrainedModel
from training.runs.forms.fields import MachinesForm
from training.schedules.plans.settings import Ending, OnFall

MAX_INTEGER = 2_147_483_647
MOST_SHOWN = 9
"""responses on one page of the desk"""


def ranked_candidates() -> forms.IntegerField:
    """The number of candidates where raters rank them all."""
    return forms.IntegerField(
        label=_("Responses to choose from"),
        min_value=2,
        max_value=MOST_SHOWN,
        initial=6,
        help_text=_("Per prompt. Raters rank them all, and the model learns from the best one."),
    )


class CycleFields(MachinesForm):
    trains_watchdog = forms.BooleanField(
        label=_("Train a second reward model"),
        required=False,
        initial=True,
        help_text=_(
            "It watches PPO and is never trained on: PPO stops when its reward falls. It takes two"
            " fifths of the comparisons and adds one reward model run to each chain. Used when"
            " PPO's settings stop on a watchdog drop, as balanced and thorough do."
        ),
    )
    ptx_text = forms.ModelChoiceField(
        label=_("Text for PPO-ptx"),
        queryset=Snapshot.objects.none(),
        required=False,
        empty_label=_("None"),
        help_text=_(
            "Mixed into PPO, so that the model does not forget its pretraining. Needed by settings"
            " with γ above 0, such as thorough."
        ),
    )
    n_prompts = forms.IntegerField(
        label=_("Prompts to practise on"),
        min_value=1,
        max_value=MAX_INTEGER,
        required=False,
        initial=200,
        help_text=_(
            "Training prompts, drawn for each chain, those used least first. Leave empty for all."
        ),
    )
    max_uses = forms.IntegerField(
        label=_("Chains per prompt"),
        min_value=1,
        max_value=1000,
        required=False,
        initial=8,
        help_text=_("No prompt is practised in more chains than this. Leave empty for no limit."),
    )
    n_candidates = forms.IntegerField(
        label=_("Responses to choose from"),
        min_value=2,
        max_value=64,
        initial=16,
        help_text=_(
            "Per prompt. The model learns from the one the reward model scores highest; with DPO,"
            " from that one against the lowest."
        ),
    )
    keeps_earlier = forms.BooleanField(
        label=_("Also learn from the best of earlier chains"),
        required=False,
        initial=True,
        help_text=_("Without this, Llama 2 forgot what earlier models could do."),
    )
    reference_model = forms.ModelChoiceField(
        label=_("KL is measured to"),
        queryset=TrainedModel.objects.none(),
        required=False,
        empty_label=_("The model that the line began with"),
        help_text=_(
            "Choose the current model to begin a new line with it: its KL then starts at 0, and the"
            " drift before it is no longer bounded."
        ),
    )
    ending = forms.ChoiceField(
        label=_("After training"),
        choices=[
            (Ending.COMPARE, _("Raters compare it with the current model, and a gate decides")),
            (Ending.REQUEST, _("Both models answer, and admins are asked for a comparison")),
            (Ending.NOTHING, _("Nothing more")),
        ],
        initial=Ending.COMPARE,
        required=False,
        help_text=_("Only the first needs a pool, a guideline and the settings of the gate."),
    )
    pool = forms.ModelChoiceField(
        label=_("Pool of raters"), queryset=Pool.objects.none(), empty_label=_("Choose a pool")
    )
    guideline = forms.ModelChoiceField(
        label=_("Guideline"), queryset=Guideline.objects.none(), empty_label=_("Choose a guideline")
    )
    n_responses = forms.IntegerField(
        label=_("Responses per comparison"),
        min_value=2,
        max_value=MOST_SHOWN,
        initial=4,
        help_text=_("Taken evenly from each answering model."),
    )
    overlap = forms.IntegerField(label=_("Raters per item"), min_value=1, max_value=20, initial=3)
    n_judged = forms.IntegerField(
        label=_("Test prompts"),
        min_value=1,
        max_value=100_000,
        initial=200,
        help_text=_(
            "At most so many: raters compare the models on them. They are never learned from."
        ),
    )
    n_taught = forms.IntegerField(
        label=_("Other prompts"),
        min_value=0,
        max_value=100_000,
        initial=100,
        help_text=_("In the same campaign. The next chain learns from their comparisons."),
    )
    min_win_rate = forms.FloatField(
        label=_("Minimum win rate (%)"),
        min_value=0,
        max_value=100,
        initial=50,
        help_text=_("The lower end of the interval must reach it."),
    )
    confidence = forms.FloatField(
        label=_("Confidence (%)"),
        min_value=80,
        max_value=99.9,
        required=False,
        initial=95,
        help_text=_(
            "How often a model that only just reaches the minimum is held back, over all looks."
        ),
    )
    n_looks = forms.IntegerField(
        label=_("Looks"),
        min_value=1,
        max_value=10,
        required=False,
        initial=4,
        help_text=_(
            "Raters get the test prompts in so many parts. After each, the gate decides or asks for"
            " the next one."
        ),
    )
    keeps_undecided = forms.BooleanField(
        label=_("Go on from a model that stayed undecided"),
        required=False,
        initial=True,
        help_text=_(
            "The next chain trains it further, and raters compare the result with the same current"
            " model, so that small gains add up."
        ),
    )
    max_kl = forms.FloatField(
        label=_("Maximum KL"),
        min_value=0.01,
        max_value=10_000,
        required=False,
        initial=20,
        help_text=_(
            "In nats per response, over all chains since the model that KL is measured to. A line"
            " that reaches it ends, until you measure KL to its current model. Leave empty for no"
            " limit."
        ),
    )
    max_length = forms.FloatField(
        label=_("Maximum length"),
        min_value=0.1,
        max_value=100,
        required=False,
        initial=1.5,
        help_text=_("As a multiple of the current model's responses. Leave empty for no limit."),
    )
    gate_days = forms.IntegerField(
        label=_("Days for the raters"),
        min_value=1,
        max_value=365,
        initial=14,
        help_text=_("After that, somebody decides with the answers so far."),
    )
    suites = SuitesField(
        label=_("Suites"),
        required=False,
        help_text=_("The new model and the current one answer them. Leave empty for none."),
    )
    on_fall = forms.ChoiceField(
        label=_("If a score falls"),
        choices=[
            (OnFall.ASK, _("Ask the raters all the same; a person decides")),
            (OnFall.STOP, _("Do not promote, and do not ask the raters")),
        ],
        initial=OnFall.ASK,
        required=False,
        help_text=_("By more than chance explains, on any of the suites."),
    )
