"""Forms of pay: a pool's rates, the period of a timesheet, a dispute and its answer."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from arithmetic import days
from labeling.models import Rate
from labeling.queue.spending import money
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import segmented, sentence_case

CURRENCY = re.compile(r"[A-Z]{3}")


class CurrencyField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Currency"), max_length=3, help_text=_("Three letters, such as EUR."), **options
        )

    def clean(self, value: object) -> str:
        code: str = super().clean(value).upper()
        if code and not CURRENCY.fullmatch(code):
            raise ValidationError(
                _("“%(code)s” is not a currency code. Use a code such as EUR, USD or PHP."),
                params={"code": code},
            )
        return code


class RateForm(ConflictCheck, forms.Form):
    latest = forms.IntegerField(required=False, widget=forms.HiddenInput)
    """The pool's newest rate, as the page shows it."""
    suggested = frozenset({"kind"})
    kind = forms.ChoiceField(label=_("Work"), choices=sentence_case(Rate.Kind.choices))
    basis = forms.ChoiceField(
        label=_("Rate type"),
        choices=sentence_case(Rate.Basis.choices),
        widget=segmented(),
        initial="hour",
    )
    amount = forms.DecimalField(
        label=_("Amount"), min_value=Decimal(0), max_digits=12, decimal_places=4
    )
    currency = CurrencyField(initial=lambda: settings.CURRENCY)
    floor = forms.DecimalField(
        label=_("Minimum per hour"),
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=4,
        required=False,
        help_text=_("Timesheets flag pay that comes to less than this per hour."),
    )
    from_day = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_(
            "Leave empty to start now. A past day reprices all work since then, except days already"
            " marked as paid."
        ),
    )

    def __init__(
        self, data: Mapping[str, object] | None = None, *, kind: str = "", latest: int | None = None
    ) -> None:
        super().__init__(data, initial={"kind": kind, "latest": latest})

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for services.set_rate."""
        values = self.cleaned_data
        day, currency, floor = values["from_day"], values["currency"], values["floor"]
        return {
            "kind": values["kind"],
            "basis": values["basis"],
            "amount": money.to_minor(values["amount"], currency),
            "currency": currency,
            "floor": money.to_minor(floor, currency) if floor is not None else None,
            "valid_from": days.midnight(day, dt.UTC) if day else None,
        }


class PeriodForm(forms.Form):
    """The period of a timesheet, from the query string; the current month by default."""

    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def period(self, *, today: dt.date) -> tuple[dt.date, dt.date]:
        values = self.cleaned_data if self.is_valid() else {}
        since = values.get("since") or today.replace(day=1)
        until = values.get("until") or max(today, since)
        return (since, until) if since <= until else (until, since)


class DisputeForm(forms.Form):
    text = forms.CharField(
        label=_("What is wrong?"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("An admin reads your message and answers here."),
        error_messages={"required": _("Write something first.")},
    )


class AnswerForm(forms.Form):
    text = forms.CharField(
        label=_("Answer"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )
    correction = forms.DecimalField(
        label=_("Adjustment"),
        max_digits=12,
        decimal_places=3,
        required=False,
        help_text=_(
            "Added to this payment; use a negative amount to deduct. Leave empty for none."
        ),
    )
    currency = CurrencyField(required=False)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if (
            cleaned.get("correction") is not None
            and not cleaned.get("currency")
            and "currency" not in self.errors
        ):
            self.add_error("currency", _("Enter a currency for the adjustment."))
        return cleaned

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for services.answer_dispute."""
        values = self.cleaned_data
        correction, currency = values["correction"], values["currency"]
        minor = (
            money.whole(money.to_minor(correction, currency)) if correction is not None else None
        )
        return {"text": values["text"], "correction": minor, "currency": currency}


class PaidForm(ConflictCheck, forms.Form):
    total = forms.CharField(required=False, widget=forms.HiddenInput)
    """What is due, as the page shows it."""
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        help_text=_("For example, the transfer number."),
    )
