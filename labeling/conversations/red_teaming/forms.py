"""The forms of a red-teaming campaign, and the questions at the end of an attack."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from labeling.campaigns.conversation_form import ConversationForm
from labeling.campaigns.conversation_plan import Plan
from labeling.conversations.red_teaming.attacks import Outcome
from labeling.conversations.red_teaming.services import (
    CONVERSATIONS,
    GOAL_LENGTH,
    MOST_BRIEFS,
    REVIEWERS,
    Brief,
    Review,
)
from labeling.models import Attack, Guideline, Pool, Prompt
from pages.form_parts import (
    NameField,
    ask_to_choose,
    chips,
    choose_the_only_one,
    offer,
    offer_rows,
    sentence_case,
)


class RedTeamingForm(forms.Form):
    """What is said once for the whole campaign."""

    name = NameField(label=_("Name"), max_length=120)
    pool = forms.ModelChoiceField(label=_("Pool of attackers"), queryset=Pool.objects.none())
    guideline = forms.ModelChoiceField(
        label=_("Guideline"),
        queryset=Guideline.objects.none(),
        help_text=_("Its text has the rules to break. Raters compare the answers by it."),
    )
    n_each = forms.IntegerField(
        label=_("Attacks per brief"),
        min_value=CONVERSATIONS.start,
        max_value=CONVERSATIONS.stop - 1,
        initial=20,
        help_text=_("Briefs alternate, so each gets the same number."),
    )
    review_pool = forms.ModelChoiceField(
        label=_("Pool of reviewers"),
        queryset=Pool.objects.none(),
        help_text=_(
            "They rate each attack again without seeing what the attacker says. It may be the same"
            " pool: nobody gets an attack of their own."
        ),
    )
    n_reviewers = forms.IntegerField(
        label=_("Reviewers per attack"),
        min_value=REVIEWERS.start,
        max_value=REVIEWERS.stop - 1,
        initial=1,
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        rows = {
            "pool": Pool.objects.order_by("name"),
            "guideline": Guideline.objects.order_by("name"),
            "review_pool": Pool.objects.order_by("name"),
        }
        for name, offered in rows.items():
            offer_rows(self.fields[name], offered)
            ask_to_choose(self.fields[name])
            choose_the_only_one(self.fields[name])

    def arguments(self) -> dict[str, Any]:
        """Of the valid form, for services.create_red_teaming."""
        names = ("name", "pool", "guideline", "n_each")
        review = Review(self.cleaned_data["review_pool"], self.cleaned_data["n_reviewers"])
        return {name: self.cleaned_data[name] for name in names} | {"review": review}


class TalkForm(ConversationForm):
    """The models to attack. A rater may stop after any turn, and writes the first message."""

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        for name in ("opening", "brief", "min_turns", "rates_end"):
            del self.fields[name]
        self.fields["models"].label = _("Models to attack")
        self.fields["n_answers"].help_text = _(
            "From 2 to 4. The conversation goes on with the worst one."
        )
        self.fields["max_turns"].label = _("Turns per attack, at most")

    def plan(self) -> Plan:
        plan = super().plan()
        return replace(plan, settings=replace(plan.settings, min_turns=1))


class BriefRow(forms.Form):
    goal = forms.CharField(
        label=_("Goal"),
        min_length=GOAL_LENGTH.start,
        max_length=GOAL_LENGTH.stop - 1,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        help_text=_("What the attacker tries to get the model to say."),
    )
    area = forms.ChoiceField(
        label=_("Area of harm"),
        choices=[("", _("Choose one")), *sentence_case(Prompt.Upset.choices)],
        help_text=_("Only raters who agreed to this kind of content get the brief."),
    )
    rule = forms.ChoiceField(
        label=_("Rule to break"),
        help_text=_("A numbered rule of the guideline, or an item of its lists."),
    )

    def __init__(
        self, *arguments: Any, rules: Sequence[tuple[str, list[str]]] = (), **options: Any
    ) -> None:
        """`rules`: those of each guideline, by its name."""
        super().__init__(*arguments, **options)
        groups = [(name, [(rule, rule) for rule in texts]) for name, texts in rules]
        offer(self.fields["rule"], [("", _("Choose one")), *groups])

    @property
    def brief(self) -> Brief:
        """Of the valid row."""
        return Brief(**{name: self.cleaned_data[name] for name in ("goal", "area", "rule")})


BriefRows = forms.formset_factory(
    BriefRow,
    extra=0,
    min_num=1,
    max_num=MOST_BRIEFS,
    validate_min=True,
    validate_max=True,
    absolute_max=MOST_BRIEFS,
)


class AttackForm(forms.Form):
    """What the attacker says at the end."""

    success = forms.TypedChoiceField(
        label=_("How far did you get?"),
        coerce=int,
        widget=forms.RadioSelect(attrs={"autofocus": True}),
    )
    severity = forms.TypedChoiceField(
        label=_("How severe is what the model said?"), coerce=int, widget=forms.RadioSelect
    )
    tags = forms.MultipleChoiceField(
        label=_("How you tried"),
        choices=sentence_case(Attack.Tag.choices),
        required=False,
        widget=chips(),
    )
    tried = forms.CharField(
        label=_("What you tried, in one line"),
        max_length=Attack._meta.get_field("tried").max_length,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        for name, scale in (("success", Attack.Success), ("severity", Attack.Severity)):
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices = [
                (value, f"{value} · {capfirst(label)}") for value, label in scale.choices
            ]

    def outcome(self) -> Outcome:
        """Of the valid form."""
        return Outcome(**self.cleaned_data)
