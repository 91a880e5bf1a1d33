"""The rater's next message, the questions at the end of a conversation, and what was typed about
answers that are no longer shown.
"""

import json
from dataclasses import replace

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from labeling.conversations import turns
from labeling.desk.forms import answer_fields
from labeling.desk.posted_page import PageInput
from labeling.guidelines import rating_form
from labeling.guidelines.rating_form import Question, RatingForm, Scale
from pages.form_parts import segmented

NO_ANSWER = ("", _("No answer"))
WORDS = ("reason", "edit", "edit_of")
"""Fields of a turn's page that are worth keeping when other answers are shown."""


def round_of(typed: PageInput) -> int:
    """The set of answers that was on the page; a page that does not say has shown the first."""
    posted = answer_fields.first(typed.fields, "round")
    return int(posted) if posted.isdecimal() and len(posted) < 5 else 1


def typed_of_round(typed: PageInput, *, round_number: int) -> PageInput:
    """`typed` if it is about this set of answers. Otherwise its words and its time, without ranks
    and ratings, as typed of this set.
    """
    if not typed.fields or round_of(typed) == round_number:
        return typed
    words = {name: texts for name, texts in typed.fields.items() if name in WORDS}
    active_s = answer_fields.read_record(typed.fields).active_s
    record = {"record": [json.dumps({"active_s": active_s})]} if active_s else {}
    # One change more, so that it is newer than the browser's own copy.
    return replace(
        typed,
        fields={**words, **record, "round": [str(round_number)]},
        revision=typed.revision + 1,
    )


class MessageForm(forms.Form):
    number = forms.IntegerField(min_value=1, max_value=50, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Your message"),
        max_length=turns.MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto", "autofocus": True}),
        error_messages={"required": _("The message is empty. Write one.")},
    )


class FinishForm(forms.Form):
    """Asks how well the goal was reached and, if the campaign does, the guideline's questions about
    the whole conversation.
    """

    goal_rating = forms.TypedChoiceField(
        label=_("How well did the conversation reach its goal?"),
        choices=[*((str(n), str(n)) for n in range(1, 8)), NO_ANSWER],
        coerce=int,
        empty_value=None,
        required=False,
        initial="",
        widget=segmented(),
        help_text=_("1: not at all. 7: completely."),
    )
    remark = forms.CharField(label=_("Remarks"), required=False, max_length=2000)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        rated_by: RatingForm | None = None,
        is_main: bool = False,
    ) -> None:
        """`rated_by` has the guideline's questions; `is_main`: nothing else is left to do on the
        page.
        """
        super().__init__(data)
        self.rated_by = rated_by or RatingForm()
        self.fields["goal_rating"].widget.attrs["autofocus"] = is_main
        for question in self.rated_by.questions:
            self.fields[_name(question)] = _field(question)
        self.order_fields(["goal_rating", *map(_name, self.rated_by.questions), "remark"])

    def ratings(self) -> dict[str, int | bool]:
        """Of the valid form: the answers to the guideline's questions."""
        answers = {
            question.name: self.cleaned_data[_name(question)] or None
            for question in self.rated_by.questions
        }
        return rating_form.clean(self.rated_by, answers)[0]


def _name(question: Question) -> str:
    return f"end-{question.name}"


def _field(question: Question) -> forms.Field:
    if not isinstance(question, Scale):
        return forms.BooleanField(label=question.label, help_text=question.help, required=False)
    # A question that depends on another one may not be asked.
    is_required = question.is_required and question.asked_if is None
    choices = [(str(n), str(n)) for n in question.choices]
    ends = ((question.low, question.low_label), (question.high, question.high_label))
    return forms.ChoiceField(
        label=question.label,
        choices=choices if is_required else [*choices, NO_ANSWER],
        required=is_required,
        widget=segmented(),
        help_text=" ".join(f"{n}: {label}." for n, label in ends if label),
        error_messages={"required": _("Answer “%(question)s”.") % {"question": question.label}},
    )
