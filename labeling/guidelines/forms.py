"""Forms of guidelines and their rating forms."""

import itertools
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.guidelines import constitution
from labeling.guidelines.rating_form import Condition, Flag, RatingForm, Scale
from labeling.models import Guideline, Rater
from pages.edit_conflicts import ConflictCheck, RowsConflictCheck
from pages.form_parts import NameField, offer, segmented

# Django's forms are generic only in the stubs.
if TYPE_CHECKING:
    GuidelineModelForm = forms.ModelForm[Guideline]
    RatersField = forms.ModelMultipleChoiceField[Rater]
else:
    GuidelineModelForm = forms.ModelForm
    RatersField = forms.ModelMultipleChoiceField


TEXT_HELP = _("Markdown, shown beside the task. Use the examples below to show what you mean.")


class GuidelineForm(GuidelineModelForm):
    """A guideline's name, what raters do by it, and the text of its first version. Raters who write
    are shown no rating form, so such a guideline starts without one.
    """

    PURPOSES = [("compare", _("Compare responses")), ("write", _("Write answers"))]
    purpose = forms.ChoiceField(
        label=_("What raters do"),
        choices=PURPOSES,
        initial="compare",
        widget=segmented(),
        help_text=_("Raters who write answers see no rating form."),
    )
    text = forms.CharField(
        label=_("Text"), widget=forms.Textarea(attrs={"rows": 18}), help_text=TEXT_HELP
    )

    class Meta:
        model = Guideline
        fields = ["name"]
        field_classes = {"name": NameField}
        error_messages = {"name": {"unique": _("Another guideline already has this name.")}}


class GuidelineTextForm(ConflictCheck, forms.Form):
    """The text of the next version."""

    text = forms.CharField(
        label=_("Text"), widget=forms.Textarea(attrs={"rows": 18}), help_text=TEXT_HELP
    )
    is_major = forms.BooleanField(
        label=_("Raters must requalify"),
        required=False,
        help_text=_(
            "If a pool's onboarding has a step on this guideline, raters repeat it before their"
            " next item."
        ),
    )


class QuestionForm(forms.Form):
    """One question of a rating form. Its name is derived from the first label and never changes, so
    that answers stay comparable.
    """

    KINDS = [("flag", _("Flag")), ("scale", _("Scale"))]
    name = forms.CharField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, initial="flag")
    label = forms.CharField(label=_("Question"), max_length=200)
    low = forms.IntegerField(label=_("From"), required=False, min_value=0, max_value=100)
    low_label = forms.CharField(label=_("Label at the low end"), required=False, max_length=60)
    high = forms.IntegerField(label=_("To"), required=False, min_value=1, max_value=101)
    high_label = forms.CharField(label=_("Label at the high end"), required=False, max_length=60)
    is_required = forms.BooleanField(label=_("Required"), required=False)
    is_merit = forms.BooleanField(label=_("Speaks for the response"), required=False)
    is_principle = forms.BooleanField(label=_("Principle"), required=False)
    help = forms.CharField(label=_("Help"), required=False, max_length=300)
    asked_if = forms.ChoiceField(label=_("Ask this"), required=False)
    at_least = forms.IntegerField(label=_("Minimum"), required=False, min_value=-100, max_value=101)
    at_most = forms.IntegerField(label=_("Maximum"), required=False, min_value=-100, max_value=101)

    def has_changed(self) -> bool:
        """A place alone makes no question, so an empty row that was moved is still empty."""
        return bool(set(self.changed_data) - {"ORDER"})

    @property
    def row_number(self) -> str:
        """Its number in the names of its fields, which moving does not change."""
        return str(self.prefix).rpartition("-")[2]

    @property
    def label_now(self) -> str:
        """The label as typed so far; "" for an empty row."""
        return str(self["label"].value() or "")

    @property
    def kind_words(self) -> str:
        """The kind of question in a word or two, for its line."""
        if not self.label_now:
            return ""
        if self["kind"].value() != "scale":
            return gettext("Flag")
        ends = {"low": self["low"].value() or 1, "high": self["high"].value() or 7}
        return gettext("Scale %(low)s–%(high)s") % ends

    @property
    def is_open(self) -> bool:
        """Whether its fields are shown: something is wrong with them, or it has just been added."""
        return bool(self.errors) or (self.is_bound and not self.label_now)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") != "scale" or "low" in self.errors or "high" in self.errors:
            return cleaned
        if cleaned.get("low") is None:
            cleaned["low"] = 1
        if cleaned.get("high") is None:
            cleaned["high"] = 7
        if cleaned["high"] <= cleaned["low"]:
            self.add_error("high", _("The high end must be above the low end."))
        return cleaned


class BaseQuestions(RowsConflictCheck[QuestionForm]):
    """The questions of a rating form, ordered by their place."""

    def add_fields(self, form: QuestionForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].widget = forms.HiddenInput()
        form.fields["DELETE"].label = _("Remove")
        others = [
            (label, gettext("If “%(label)s”") % {"label": label})
            for label in dict.fromkeys(self._labels())
        ]
        offer(form.fields["asked_if"], [("", _("Always")), *others])

    def clean(self) -> None:
        """Checks that each condition refers to an earlier question and to answers that it
        allows.
        """
        if any(self.errors) or not self.management_form.is_valid():
            return
        earlier: dict[str, Scale | Flag] = {}
        for form, question in self._read():
            decisive = form.cleaned_data["asked_if"]
            if decisive and (
                problem := _condition_problem(earlier.get(decisive), decisive, question.asked_if)
            ):
                form.add_error("asked_if", problem)
            # After its own check, so that a question cannot depend on itself.
            earlier.setdefault(question.label, question)

    @property
    def in_order(self) -> list[QuestionForm]:
        """The rows by their place; rows without one come last."""
        places = [place_of(form["ORDER"].value()) for form in self.forms]
        return [self.forms[index] for index in sorted(range(len(places)), key=places.__getitem__)]

    def rating_form(self) -> RatingForm:
        """The rating form. Valid formsets only."""
        return RatingForm(tuple(question for _form, question in self._read()))

    def _read(self) -> list[tuple[QuestionForm, Scale | Flag]]:
        names: dict[str, str] = {}
        read: list[tuple[QuestionForm, Scale | Flag]] = []
        for form in self.ordered_forms:
            question = _question(
                form.cleaned_data, names, taken={question.name for _form, question in read}
            )
            # Conditions name a question by its label; of two equal labels the first one counts.
            names.setdefault(question.label, question.name)
            read.append((form, question))
        return read

    def _labels(self) -> list[str]:
        # Labels typed since the last save may be chosen as well.
        if self.is_bound:
            typed = (
                self.data.get(f"{self.prefix}-{number}-label")
                for number in range(self.total_form_count())
            )
            return [label.strip() for label in typed if label and label.strip()]
        return [str(row["label"]) for row in self.initial or []]


Questions = forms.formset_factory(
    QuestionForm,
    formset=BaseQuestions,
    extra=1,
    can_delete=True,
    can_order=True,
    max_num=40,
    validate_max=True,
)


def place_of(raw: object) -> float:
    """The place that a row's field says, or after all others."""
    return int(str(raw)) if str(raw).isdecimal() else float("inf")


def moved(data: QueryDict, move: str) -> QueryDict:
    """The posted rows with one of them a place up or down; `move` is its number and the direction,
    such as "3-up".
    """
    number, _hyphen, direction = move.partition("-")
    total = data.get("questions-TOTAL_FORMS", "")
    rows = range(int(total)) if total.isdecimal() and len(total) < 4 else range(0)
    order = sorted(rows, key=lambda row: place_of(data.get(f"questions-{row}-ORDER")))
    if number.isdecimal() and int(number) in order:
        place = order.index(int(number))
        other = place + (-1 if direction == "up" else 1)
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
    for place, row in enumerate(order, start=1):
        data[f"questions-{row}-ORDER"] = str(place)
    return data


def with_principles(data: QueryDict) -> QueryDict:
    """The posted rows, followed by the first constitution's principles that are not among them."""
    data = data.copy()
    total = data.get("questions-TOTAL_FORMS", "")
    if not total.isdecimal() or len(total) > 3:
        return data
    labelled = [n for n in range(int(total)) if data.get(f"questions-{n}-label", "").strip()]
    first = max(labelled, default=-1) + 1  # an empty row at the end gives way
    names = {data.get(f"questions-{number}-name") for number in range(first)}
    new = [principle for principle in constitution.PRINCIPLES if principle.name not in names]
    for row, values in enumerate(questions_of(RatingForm(tuple(new))), start=first):
        for field, value in values.items():
            data[f"questions-{row}-{field}"] = "" if value in (None, False) else str(value)
        data[f"questions-{row}-ORDER"] = str(row + 1)
    data["questions-TOTAL_FORMS"] = str(first + len(new))
    return data


def questions_of(form: RatingForm) -> list[dict[str, object]]:
    """A rating form as the formset's initial rows."""
    labels = {question.name: question.label for question in form.questions}
    rows = []
    for question in form.as_json["questions"]:
        condition = question.get("asked_if") or {"question": ""}
        rows.append(question | condition | {"asked_if": labels.get(condition["question"], "")})
    return rows


def _condition_problem(
    decisive: Scale | Flag | None, label: str, condition: Condition | None
) -> str:
    """What is wrong with asking a question only if the one with this label is answered as
    `condition` says; "" if nothing is.
    """
    if decisive is None or condition is None:
        return gettext(
            "“%(label)s” does not come before this question. Change the positions or choose another"
            " question."
        ) % {"label": label}
    has_bounds = condition.at_least is not None or condition.at_most is not None
    if isinstance(decisive, Flag):
        return (
            gettext("“%(label)s” is a checkbox. Leave both numbers empty.") % {"label": label}
            if has_bounds
            else ""
        )
    if not has_bounds:
        return gettext("Enter the minimum or maximum value for “%(label)s”.") % {"label": label}
    # The scale has few values, so try them all.
    if not any(condition.holds({decisive.name: value}) for value in decisive.choices):
        named = {"label": label, "low": decisive.low, "high": decisive.high}
        return (
            gettext(
                "“%(label)s” ranges from %(low)s to %(high)s, so this question would never be"
                " asked."
            )
            % named
        )
    return ""


def _question(values: dict[str, Any], names: dict[str, str], taken: set[str]) -> Scale | Flag:
    """One row as a question; `names` maps the labels of earlier questions to their names."""
    name = _free_name(
        values["name"] or slugify(values["label"]).replace("-", "_") or "question", taken
    )
    decisive = names.get(values["asked_if"])
    condition = Condition(decisive, values["at_least"], values["at_most"]) if decisive else None
    if values["kind"] == "flag":
        return Flag(
            name=name,
            label=values["label"],
            help=values["help"],
            asked_if=condition,
            is_merit=values["is_merit"],
            is_principle=values["is_principle"],
        )
    return Scale(
        name=name,
        label=values["label"],
        low=values["low"],
        high=values["high"],
        low_label=values["low_label"],
        high_label=values["high_label"],
        is_required=values["is_required"],
        help=values["help"],
        asked_if=condition,
        is_principle=values["is_principle"],
    )


def _free_name(name: str, taken: set[str]) -> str:
    base = name if name.isidentifier() else f"q_{name}"
    names = itertools.chain([base], (f"{base}_{number}" for number in itertools.count(2)))
    return next(free for free in names if free not in taken)
