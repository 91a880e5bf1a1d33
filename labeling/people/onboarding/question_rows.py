"""The rows in which an admin writes the questions of an onboarding step: a formset per kind."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arithmetic.response_orders import LETTERS
from labeling.models import OnboardingStep
from labeling.people.onboarding.questions import MOST_QUESTIONS, Question
from pages.edit_conflicts import RowsConflictCheck
from pages.form_parts import segmented, sentence_case

Kind = OnboardingStep.Kind
LONGEST = 20_000
FEWEST_RESPONSES = 4
"""Rows for responses to rank; those without a text are left out."""


def _text(label: Any, *, rows: int = 2, required: bool = True, help_text: Any = "") -> Any:
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}),
    )


class QuestionRow(forms.Form):
    """A row; `question` after validation, as labeling.people.onboarding.questions describes it."""

    @property
    def question(self) -> Question:
        raise NotImplementedError

    @classmethod
    def initial_of(cls, question: Question) -> dict[str, object]:
        return dict(question)


class ProfileRow(QuestionRow):
    text = _text(_("Question"))
    choices = _text(_("Options"), rows=4, help_text=_("One per line."))

    def clean_choices(self) -> list[str]:
        lines = self.cleaned_data["choices"].splitlines()
        choices = [line.strip() for line in lines if line.strip()]
        if len(choices) < 2:
            raise ValidationError(_("Add at least two options, one per line."))
        return choices

    @property
    def question(self) -> Question:
        return {name: self.cleaned_data[name] for name in ("text", "choices")}

    @classmethod
    def initial_of(cls, question: Question) -> dict[str, object]:
        return {"text": question["text"], "choices": "\n".join(question["choices"])}


class QuizRow(ProfileRow):
    right = forms.IntegerField(
        label=_("Correct option"),
        min_value=1,
        help_text=_("Its number, counted from the top."),
    )

    def clean(self) -> None:
        values = self.cleaned_data
        if values.get("right", 0) > len(values.get("choices", [])) > 0:
            self.add_error("right", _("There is no option with this number."))

    @property
    def question(self) -> Question:
        return super().question | {"right": self.cleaned_data["right"] - 1}

    @classmethod
    def initial_of(cls, question: Question) -> dict[str, object]:
        return super().initial_of(question) | {"right": question["right"] + 1}


class FlagRow(QuestionRow):
    prompt = _text(_("Prompt"))
    response = _text(_("Response"), rows=4)
    is_sensitive = forms.ChoiceField(
        label=_("Sensitive?"),
        choices=sentence_case([("yes", _("yes")), ("no", _("no"))]),
        widget=segmented(),
        help_text=_("As your researchers answered."),
    )

    @property
    def question(self) -> Question:
        values = self.cleaned_data
        return {
            "prompt": values["prompt"],
            "response": values["response"],
            "is_sensitive": values["is_sensitive"] == "yes",
        }

    @classmethod
    def initial_of(cls, question: Question) -> dict[str, object]:
        return question | {"is_sensitive": "yes" if question["is_sensitive"] else "no"}


class RankingRow(QuestionRow):
    prompt = _text(_("Prompt"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        values = (
            self.data
            if self.is_bound
            else {self.add_prefix(name): self.initial[name] for name in self.initial}
        )
        n_given = sum(bool(values.get(self.add_prefix(f"response_{letter}"))) for letter in LETTERS)
        # With each page there is room for one more.
        self.letters = LETTERS[: max(FEWEST_RESPONSES, n_given + 1)]
        for letter in self.letters:
            self.fields[f"response_{letter}"] = _text(
                gettext("Response %(letter)s") % {"letter": letter}, required=False
            )
            self.fields[f"rank_{letter}"] = forms.IntegerField(
                label=gettext("Rank of %(letter)s") % {"letter": letter},
                required=False,
                min_value=1,
                max_value=len(LETTERS),
            )

    def clean(self) -> None:
        responses = [bool(self.cleaned_data.get(f"response_{letter}")) for letter in self.letters]
        n = sum(responses)
        if n < 2 or not all(responses[:n]):
            raise ValidationError(_("Add at least two responses, from A on."))
        for letter in self.letters[:n]:
            if self.cleaned_data.get(f"rank_{letter}") is None:
                self.add_error(f"rank_{letter}", _("Give each response a rank. 1 is best."))

    @property
    def question(self) -> Question:
        values = self.cleaned_data
        letters = [letter for letter in self.letters if values[f"response_{letter}"]]
        ranks = [values[f"rank_{letter}"] for letter in letters]
        dense = {rank: number for number, rank in enumerate(sorted(set(ranks)), 1)}
        return {
            "prompt": values["prompt"],
            "responses": [values[f"response_{letter}"] for letter in letters],
            "ranks": [dense[rank] for rank in ranks],
        }

    @classmethod
    def initial_of(cls, question: Question) -> dict[str, object]:
        initial = {"prompt": question["prompt"]}
        for letter, text, rank in zip(
            LETTERS, question["responses"], question["ranks"], strict=False
        ):
            initial |= {f"response_{letter}": text, f"rank_{letter}": rank}
        return initial


class DemonstrationRow(QuestionRow):
    prompt = _text(_("Prompt"), rows=4)

    @property
    def question(self) -> Question:
        return {"prompt": self.cleaned_data["prompt"]}


ROWS: dict[str, type[QuestionRow]] = {
    Kind.PROFILE: ProfileRow,
    Kind.GUIDELINE: QuizRow,
    Kind.FLAGS: FlagRow,
    Kind.RANKINGS: RankingRow,
    Kind.DEMONSTRATIONS: DemonstrationRow,
}
"""Kinds whose questions are rows. Topics are lines, and consent has no questions."""


class BaseRows(RowsConflictCheck[QuestionRow]):
    needs_one = True

    def add_fields(self, form: QuestionRow, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")

    def clean(self) -> None:
        is_saved = "more" not in self.data
        if self.needs_one and is_saved and not any(self.errors) and not self.questions:
            raise ValidationError(_("Add at least one question."))

    @property
    def questions(self) -> list[Question]:
        """Without rows that are empty or removed. Valid formsets only."""
        filled_in = [form for form in self.forms if form.has_changed() or form.initial]
        return [form.question for form in filled_in if not form.cleaned_data.get("DELETE")]


def rows(kind: str, data: Any, questions: Sequence[Question]) -> BaseRows | None:
    """The formset of a kind, with `questions` as they are now; None for a kind without rows."""
    row = ROWS.get(kind)
    if row is None:
        return None
    made = forms.formset_factory(
        row,
        formset=BaseRows,
        extra=0 if questions else 1,
        can_delete=True,
        max_num=MOST_QUESTIONS,
        validate_max=True,
    )
    made.needs_one = kind != Kind.GUIDELINE  # type: ignore[attr-defined]
    initial = [row.initial_of(question) for question in questions]
    formset: BaseRows = made(data, initial=initial, prefix="questions")  # type: ignore[assignment]
    return formset
