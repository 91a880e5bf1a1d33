"""Forms of judges: a new one, and the limit of one that is started."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.pay.forms import CurrencyField
from pages.form_parts import choose_the_only_one, offer_rows, segmented, sentence_case
from training.judges import selectors
from training.judges.questions import DEFAULT_PROMPT
from training.judges.services import MILLION, MOST_AT_ONCE, Terms
from training.models import Judge, JudgeVersion, TrainedModel, TrustRule

MOST_MONEY = Decimal(1_000_000)


class MoneyField(forms.DecimalField):
    """An amount that is stored in millionths."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            min_value=Decimal(0),
            max_value=MOST_MONEY,
            max_digits=13,
            decimal_places=6,
            **options,
        )


def millionths(amount: Decimal) -> int:
    return int(amount * MILLION)


def in_units(amount: int) -> Decimal:
    """Of the currency, from millionths."""
    return Decimal(amount) / MILLION


class JudgeForm(forms.Form):
    """Call terms() on a valid form."""

    model = forms.ModelChoiceField(
        label=_("Model"),
        queryset=TrainedModel.objects.none(),
        empty_label=_("Choose a model"),
        help_text=_("Language models behind an endpoint."),
    )
    prompt = forms.CharField(
        label=_("Instructions"),
        widget=forms.Textarea(attrs={"rows": 9}),
        initial=DEFAULT_PROMPT,
        max_length=20_000,
        help_text=_(
            "The campaign's guideline, how to answer and the pair are added. What is in a pair is"
            " sent as data."
        ),
    )
    output = forms.ChoiceField(
        label=_("It writes"),
        choices=sentence_case(JudgeVersion.Output.choices),
        widget=segmented(),
        initial=JudgeVersion.Output.LABEL,
    )
    max_new_tokens = forms.IntegerField(
        label=_("Longest answer (tokens)"),
        min_value=1,
        max_value=32_768,
        initial=16,
        help_text=_("With reasons, or for a model that thinks first, at least 1,000."),
    )
    context_tokens = forms.IntegerField(
        label=_("Context (tokens)"),
        min_value=256,
        max_value=10_000_000,
        initial=8_192,
        help_text=_("Longer pairs are counted and not sent: nothing is cut off."),
    )
    temperature = forms.FloatField(
        label=_("Temperature"), min_value=0.0, max_value=2.0, initial=0.0
    )
    asks_probabilities = forms.BooleanField(
        label=_("Ask for the probability of each choice"),
        required=False,
        help_text=_("Not every server can say it. One that cannot may refuse the request."),
    )
    price_in = MoneyField(
        label=_("Price of a million tokens sent"),
        help_text=_("0 if the server costs nothing."),
    )
    price_out = MoneyField(label=_("Price of a million tokens written"))
    money_limit = MoneyField(
        label=_("Limit"),
        help_text=_("It stops before a request that could cost more than this in all."),
    )
    currency = CurrencyField(initial=lambda: settings.CURRENCY)
    parallel = forms.IntegerField(
        label=_("Requests at once"),
        min_value=1,
        max_value=MOST_AT_ONCE,
        initial=4,
        help_text=_("At most as many as the server answers side by side."),
    )
    answer_within_s = forms.IntegerField(
        label=_("Longest wait for an answer (seconds)"),
        min_value=1,
        max_value=240,
        initial=120,
        help_text=_("After this, the pair is asked again later."),
    )

    def __init__(
        self, data: Mapping[str, object] | None = None, *, template: Judge | None = None
    ) -> None:
        super().__init__(data, initial=_initial_of(template) if template else None)
        offer_rows(self.fields["model"], selectors.models_to_ask())
        choose_the_only_one(self.fields["model"])

    def terms(self) -> Terms:
        values = self.cleaned_data
        return Terms(
            prompt=values["prompt"],
            output=values["output"],
            temperature=values["temperature"],
            max_new_tokens=values["max_new_tokens"],
            asks_probabilities=values["asks_probabilities"],
            context_tokens=values["context_tokens"],
            price_in=millionths(values["price_in"]),
            price_out=millionths(values["price_out"]),
        )

    @property
    def money(self) -> dict[str, Any]:
        """Arguments for services.add_judge."""
        values = self.cleaned_data
        return {
            "money_limit": millionths(values["money_limit"]),
            "currency": values["currency"],
        }

    @property
    def pace(self) -> dict[str, Any]:
        """Arguments for services.add_judge."""
        return {name: self.cleaned_data[name] for name in ("parallel", "answer_within_s")}


def _initial_of(judge: Judge) -> dict[str, object]:
    """What this judge is asked now, at what price and pace."""
    version = selectors.version_of(judge=judge)
    return {
        "model": judge.model_id,
        "prompt": version.prompt,
        "output": version.output,
        "max_new_tokens": version.sampling["max_new_tokens"],
        "context_tokens": version.context_tokens,
        "temperature": version.sampling["temperature"],
        "asks_probabilities": version.asks_probabilities,
        "price_in": in_units(version.price_in),
        "price_out": in_units(version.price_out),
        "money_limit": in_units(judge.money_limit),
        "currency": judge.currency,
        "parallel": judge.parallel,
        "answer_within_s": judge.answer_within_s,
    }


class TrustForm(forms.Form):
    """What a judge must come to. Call wanted() on a valid form."""

    split = forms.ChoiceField(
        label=_("Trust is decided"), choices=sentence_case(TrustRule.Split.choices)
    )
    target = forms.FloatField(
        label=_("Wanted agreement with people (%)"),
        min_value=51,
        max_value=99,
        required=False,
        help_text=_("Empty: as often as two of your raters agree with each other today."),
    )
    error = forms.FloatField(
        label=_("Error (%)"),
        min_value=1,
        max_value=20,
        initial=10,
        help_text=_("How often trust may be granted wrongly, over all looks and parts together."),
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, judge: Judge) -> None:
        super().__init__(data, prefix=f"trust-{judge.pk}")

    def wanted(self) -> dict[str, Any]:
        values = self.cleaned_data
        target = values["target"]
        return {
            "split": values["split"],
            "target": None if target is None else target / 100,
            "error": values["error"] / 100,
        }


class StartForm(forms.Form):
    money_limit = MoneyField(label=_("Limit"))

    def __init__(self, data: Mapping[str, object] | None = None, *, judge: Judge) -> None:
        limit = in_units(judge.money_limit)
        super().__init__(data, prefix=f"judge-{judge.pk}", initial={"money_limit": limit})
        self.fields["money_limit"].label = gettext("Limit (%(currency)s)") % {
            "currency": judge.currency
        }

    @property
    def limit(self) -> int:
        return millionths(self.cleaned_data["money_limit"])
