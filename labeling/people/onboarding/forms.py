"""Forms of onboarding: an admin's step, a reviewer's scores and decision, and a rater's answers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arithmetic import response_orders
from labeling.models import (
    Guideline,
    GuidelineVersion,
    OnboardingStep,
    Prompt,
    StepAttempt,
    StepVersion,
)
from labeling.people.onboarding import questions as onboarding_questions
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import chips, segmented, sentence_case

if TYPE_CHECKING:
    GuidelineField = forms.ModelChoiceField[Guideline]
else:
    GuidelineField = forms.ModelChoiceField

Kind, State = OnboardingStep.Kind, StepAttempt.State
SCORED = frozenset({Kind.GUIDELINE, Kind.FLAGS, Kind.RANKINGS, Kind.DEMONSTRATIONS})
LONGEST_ANSWER = 20_000
TITLES = {
    Kind.CONSENT: _("Consent"),
    Kind.PROFILE: _("About you"),
    Kind.GUIDELINE: _("Guideline and quiz"),
    Kind.FLAGS: _("Flag sensitive content"),
    Kind.RANKINGS: _("Rank responses"),
    Kind.DEMONSTRATIONS: _("Write demonstrations"),
    Kind.TOPICS: _("Topics you know"),
}


class StepForm(ConflictCheck, forms.Form):
    """A step of one kind; fields that this kind does not use are left out."""

    title = forms.CharField(label=_("Title"), max_length=120)
    text = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Markdown, shown above the questions."),
    )
    guideline = GuidelineField(
        label=_("Guideline"),
        queryset=Guideline.objects.order_by("name"),
        empty_label=_("Choose one"),
    )
    questions = forms.CharField(
        label=_("Topics"),
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_(
            "One topic per line. A category's code, such as summarization, routes items of that"
            " category."
        ),
    )
    cut = forms.DecimalField(
        label=_("Passing score (%)"), min_value=0, max_value=100, max_digits=5, decimal_places=1
    )
    max_attempts = forms.IntegerField(
        label=_("Attempts"),
        min_value=1,
        max_value=20,
        initial=2,
        help_text=_("After the last attempt, an admin decides."),
    )
    needs_decision = forms.BooleanField(
        label=_("Always require a manual decision"),
        required=False,
        help_text=_("Raters at or above the score pass automatically; you decide on the rest."),
    )
    paid_minutes = forms.IntegerField(
        label=_("Paid minutes"),
        min_value=0,
        max_value=1_000,
        initial=0,
        help_text=_("Paid for each attempt, whatever the result, at the pool's onboarding rate."),
    )
    is_major = forms.BooleanField(
        label=_("Everyone must repeat this step"),
        required=False,
        help_text=_("Otherwise, raters who passed an earlier version stay passed."),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        kind: str,
        step: OnboardingStep | None = None,
        version: StepVersion | None = None,
    ) -> None:
        self.kind = Kind(kind)
        is_scored = self.kind in SCORED
        initial: dict[str, object] = {
            "title": TITLES[self.kind],
            "cut": 6 if self.kind == Kind.DEMONSTRATIONS else 75,
        }
        if step is not None and version is not None:
            initial = self._initial(step, version)
        super().__init__(data, initial=initial)
        # One form for all kinds of step: start with every field and delete what this kind does not
        # use.
        unused = [] if self.kind == Kind.TOPICS else ["questions"]
        unused += [] if is_scored else ["cut", "max_attempts"]
        unused += [] if self.kind == Kind.GUIDELINE else ["guideline"]
        unused += ["needs_decision"] if self.kind in {Kind.CONSENT, Kind.PROFILE} else []
        unused += ["is_major"] if step is None else []
        for name in unused:
            del self.fields[name]
        if self.kind == Kind.CONSENT:
            self.fields["text"].required = True
        if self.kind == Kind.DEMONSTRATIONS:
            self.fields["cut"] = forms.DecimalField(
                label=_("Passing score (of 7)"),
                min_value=1,
                max_value=7,
                max_digits=3,
                decimal_places=2,
                help_text=_("The average of the scores."),
            )

    def clean_questions(self) -> list[onboarding_questions.Question]:
        topics = onboarding_questions.topics(self.cleaned_data["questions"])
        most = onboarding_questions.MOST_QUESTIONS
        if len(topics) > most:
            raise ValidationError(gettext("At most %(n)d topics are allowed.") % {"n": most})
        return topics

    @property
    def arguments(self) -> dict[str, object]:
        """Arguments for services.add_step and edit_step, without the questions in rows."""
        values = {
            "questions": [],
            "guideline": None,
            "cut": None,
            "max_attempts": 20,
            "needs_decision": False,
        } | self.cleaned_data
        if values["cut"] is not None and self.kind != Kind.DEMONSTRATIONS:
            # Shown in per cent, stored as a share. Scores of demonstrations have no percentage.
            values["cut"] = values["cut"] / Decimal(100)
        return values

    def _initial(self, step: OnboardingStep, version: StepVersion) -> dict[str, object]:
        return {
            "title": version.title,
            "text": version.text,
            "guideline": step.guideline_id,
            "questions": (
                onboarding_questions.as_text(self.kind, version.questions)
                if version.questions
                else ""
            ),
            "cut": (
                None
                if step.cut is None
                else _plain(step.cut if self.kind == Kind.DEMONSTRATIONS else step.cut * 100)
            ),
            "max_attempts": step.max_attempts,
            "needs_decision": step.needs_decision,
            "paid_minutes": step.paid_minutes,
        }


class AttemptDecisionForm(ConflictCheck, forms.Form):
    """Begins with the decision that stands, if there is one."""

    DECIDED = {State.PASSED: "pass", State.BELOW: "again", State.REFUSED: "refuse"}
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("pass", _("Pass")),
            ("again", _("Allow another attempt")),
            ("refuse", _("Fail")),
        ],
        widget=segmented(),
    )
    words = forms.CharField(
        label=_("Message to the rater"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What they can do better. Don't give away the answers."),
    )

    def __init__(self, data: QueryDict | None = None, *, attempt: StepAttempt) -> None:
        decided = self.DECIDED.get(State(attempt.state), "") if attempt.decided_at else ""
        super().__init__(data, initial={"decision": decided, "words": attempt.decision})


class AttemptScoresForm(forms.Form):
    """A score from 1 to 7 for each demonstration of an attempt."""

    def __init__(self, data: QueryDict | None = None, *, n: int) -> None:
        super().__init__(data)
        for place in range(n):
            self.fields[f"score-{place}"] = forms.TypedChoiceField(
                label=gettext("Score of demonstration %(n)d") % {"n": place + 1},
                coerce=int,
                choices=[(score, str(score)) for score in range(1, 8)],
                widget=segmented(),
            )

    @property
    def scores(self) -> list[int]:
        return [self.cleaned_data[name] for name in self.fields]


class AnswersForm(forms.Form):
    """A rater's answers to one version of a step: one field per question, `answers` in the
    questions' order.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)
    guideline_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        kind: str,
        version: StepVersion,
        guideline_version: GuidelineVersion | None = None,
        auto_id: str = "id_%s",
    ) -> None:
        """`version` and `guideline_version` are the ones the rater sees: their numbers are sent
        back with the answers.
        """
        numbers = {
            "version": version.number,
            "guideline_version": guideline_version.number if guideline_version else None,
        }
        super().__init__(data, initial=numbers, auto_id=auto_id)
        self.kind, self.questions = Kind(kind), version.questions
        self.groups: list[tuple[onboarding_questions.Question, list[forms.BoundField]]] = []
        if self.kind == Kind.CONSENT:
            self.fields["agrees"] = forms.BooleanField(
                label=_("I have read this and agree"),
                error_messages={"required": _("You can't continue without giving your consent.")},
            )
        elif self.kind == Kind.TOPICS:
            choices = [
                (str(place), as_label(question["topic"]))
                for place, question in enumerate(self.questions)
            ]
            self.fields["topics"] = forms.MultipleChoiceField(
                label=_("Select what you know well"),
                choices=sentence_case(choices),
                required=False,
                widget=chips(),
            )
        else:
            for place, question in enumerate(self.questions):
                names = self._ask(place, question)
                self.groups.append((question, [self[name] for name in names]))

    @property
    def answers(self) -> list[object]:
        """The answers, as onboarding.score and services.submit_step expect them."""
        values = self.cleaned_data
        if self.kind == Kind.CONSENT:
            return [True]
        if self.kind == Kind.TOPICS:
            return [self.questions[int(place)]["topic"] for place in values["topics"]]
        return [self._answer(place, question) for place, question in enumerate(self.questions)]

    def _ask(self, place: int, question: onboarding_questions.Question) -> list[str]:
        if self.kind in {Kind.GUIDELINE, Kind.PROFILE}:
            choices = [(str(number), choice) for number, choice in enumerate(question["choices"])]
            self.fields[f"q{place}"] = forms.ChoiceField(
                label=question["text"],
                choices=choices,
                widget=forms.RadioSelect,
                required=self.kind == Kind.GUIDELINE,
            )
            return [f"q{place}"]
        if self.kind == Kind.FLAGS:
            self.fields[f"q{place}"] = forms.ChoiceField(
                label=_("Is this sensitive?"),
                choices=sentence_case([("yes", _("yes")), ("no", _("no"))]),
                widget=segmented(),
            )
            return [f"q{place}"]
        if self.kind == Kind.DEMONSTRATIONS:
            self.fields[f"q{place}"] = forms.CharField(
                label=_("Your answer"),
                max_length=LONGEST_ANSWER,
                widget=forms.Textarea(attrs={"rows": 8}),
            )
            return [f"q{place}"]
        ranks = [(number, str(number)) for number in range(1, len(question["responses"]) + 1)]
        names = [f"q{place}-{letter}" for letter in response_orders.LETTERS[: len(ranks)]]
        for name in names:
            self.fields[name] = forms.TypedChoiceField(
                label=gettext("Rank of %(letter)s") % {"letter": name[-1]},
                coerce=int,
                choices=[("", "–"), *ranks],
                empty_value=None,
            )
        return names

    def _answer(self, place: int, question: onboarding_questions.Question) -> object:
        values = self.cleaned_data
        if self.kind in {Kind.GUIDELINE, Kind.PROFILE}:
            return int(values[f"q{place}"]) if values[f"q{place}"] else None
        if self.kind == Kind.FLAGS:
            return values[f"q{place}"] == "yes"
        if self.kind == Kind.DEMONSTRATIONS:
            return values[f"q{place}"]
        return [
            values[f"q{place}-{letter}"]
            for letter in response_orders.LETTERS[: len(question["responses"])]
        ]


def as_label(topic: str) -> str:
    """A category's label; any other topic unchanged."""
    return str(dict(Prompt.Category.choices).get(topic, topic))


def _plain(number: Decimal) -> str:
    """As it was typed: 75 and 62.5, never 75.00."""
    return format(number.normalize(), "f")
