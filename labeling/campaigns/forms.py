"""Forms that set up a campaign, change it while it is running, and filter its items."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from labeling.access import visible
from labeling.campaigns import selection as campaigns_selection
from labeling.campaigns import services
from labeling.campaigns.selection import Selection, SelectionCounts
from labeling.campaigns.source_choice import SourceChoice
from labeling.kinds import registry, words
from labeling.kinds.comparison import RESPONSES, ComparisonSettings
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.kinds.settings import CampaignSettings
from labeling.models import Campaign, Pass, Prompt
from labeling.queue.gold.services import SETTINGS as GOLD_SETTINGS
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import (
    NameField,
    ask_to_choose,
    chips,
    choose_the_only_one,
    is_changed,
    offer,
    offer_rows,
    segmented,
    sentence_case,
)

# Django's forms are generic only in the stubs.
if TYPE_CHECKING:
    CampaignModelForm = forms.ModelForm[Campaign]
else:
    CampaignModelForm = forms.ModelForm


ELSEWHERE = {"confidence", *GOLD_SETTINGS} - {"gold_share", "review_share"}
"""Confidence is a percentage on the page; the page of gold items has the others."""
SETTINGS = tuple(name for name in registry.setting_names() if name not in ELSEWHERE)
USUAL_KIND = DemonstrationSettings.kind
REQUIRED = ("order", "lease_minutes")
"""Other settings fall back to their default when empty."""
CLOSED_GROUPS = {
    "filters": ("categories", "splits", "languages", "is_unused", "is_unjudged"),
    "questions": ("asks_strength", "asks_reason"),
    "answers": ("asks_dialogue", "min_words", "max_words"),
    "work": (
        *("overlap_rule", "max_overlap", "confidence"),
        *("shows_thinking", "order", "lease_minutes", "priority"),
    ),
    "checks": ("calibration_percent", "repeat_percent", "gold_share", "review_share"),
    "budget": ("budget_unit", "budget"),
}
"""Fields of a new campaign that are closed on the page while all have their defaults."""


class EffortForm(CampaignModelForm):
    """How much work is requested. Overlap follows one of two rules; confidence is a percentage on
    the page and a share in the table.
    """

    RULES = [
        ("fixed", _("The same for every item")),
        ("dynamic", _("More where raters disagree")),
    ]
    overlap_rule = forms.ChoiceField(
        label=_("Answers per item"), choices=RULES, initial="fixed", widget=segmented()
    )
    confidence = forms.IntegerField(
        label=words.labels(["confidence"])["confidence"],
        min_value=50,
        max_value=99,
        required=False,
        initial=90,
        help_text=words.help_texts(["confidence"])["confidence"],
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        initial: dict[str, object] | None = None,
        instance: Campaign | None = None,
    ) -> None:
        super().__init__(data, initial=initial, instance=instance)
        if self.instance.pk:
            self.initial["confidence"] = round(100 * self.instance.confidence)
            self.initial["overlap_rule"] = "dynamic" if self.instance.max_overlap else "fixed"
        self.fields["overlap_rule"].required = False
        self.fields["budget_unit"].required = False
        offer(self.fields["budget_unit"], sentence_case(Campaign.Budget.choices))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_dynamic = cleaned.get("overlap_rule") == "dynamic"
        cleaned["confidence"] = (cleaned.get("confidence") or 90) / 100
        if not is_dynamic:
            cleaned["max_overlap"] = None
        elif cleaned.get("max_overlap") is None and "max_overlap" not in self.errors:
            self.add_error("max_overlap", _("Enter the maximum number of answers per item."))
        self._check_budget(cleaned)
        return cleaned

    def _check_budget(self, cleaned: dict[str, object]) -> None:
        if not cleaned.get("budget_unit"):
            cleaned["budget"] = None
        elif cleaned.get("budget") is None and "budget" not in self.errors:
            self.add_error("budget", _("Enter an amount, or choose “No limit”."))

    def _get_validation_exclusions(self) -> set[str]:
        """Excludes the fields of the table's constraints: the services check them, with messages
        that say what to do.
        """
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # private, and the only way
        return exclusions | {"kind", "max_overlap", "budget"}


class CampaignForm(EffortForm):
    """A new campaign and the prompts it uses."""

    categories = forms.MultipleChoiceField(
        label=_("Categories"),
        choices=sentence_case(Prompt.Category.choices),
        required=False,
        widget=chips(),
    )
    splits = forms.MultipleChoiceField(
        label=_("Splits"),
        choices=sentence_case(Prompt.Split.choices),
        required=False,
        widget=chips(),
    )
    languages = forms.MultipleChoiceField(label=_("Languages"), required=False, widget=chips())
    sources = SourceChoice(label=_("Prompts from"))
    is_unused = forms.BooleanField(
        label=_("Only prompts that are not yet in a campaign of this type"),
        required=False,
        initial=True,
    )
    is_unjudged = forms.BooleanField(
        label=_("Only prompts without answers of this type"), required=False
    )
    n_prompts = forms.IntegerField(
        label=_("Number of prompts"),
        min_value=1,
        required=False,
        help_text=_("Leave empty for all. A number takes an even sample."),
    )
    response_sources = SourceChoice(label=_("Responses from"))

    class Meta:
        model = Campaign
        field_classes = {"name": NameField}
        fields = ["name", "kind", "pool", "guideline", *SETTINGS]
        labels = words.labels(SETTINGS)
        help_texts = words.help_texts(SETTINGS)
        widgets = {"kind": forms.RadioSelect, "order": forms.RadioSelect}
        error_messages = {
            "name": {
                "unique": _("Another campaign already has this name. Choose a different one.")
            },
        }

    def __init__(
        self, data: Mapping[str, object] | None = None, *, initial: dict[str, object] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["kind"] = forms.ChoiceField(
            label=_("Task"),
            choices=sentence_case((name, kind.label) for name, kind in registry.KINDS.items()),
            initial=USUAL_KIND,
            widget=segmented(),
        )
        n_responses = campaigns_selection.n_responses_of_newest()
        if n_responses >= RESPONSES.start:
            self.fields["kind"].initial = ComparisonSettings.kind
        self.fields["n_responses"].initial = n_responses or 4
        if "overlap" not in (initial or {}):
            self.initial["overlap"] = None
        self.fields["overlap"].help_text = _(
            "Number of answers per item; of a conversation, how many raters talk from the same"
            " opening. Leave empty for 3 per comparison, so that agreement can be measured, and 1"
            " for everything else."
        )
        for name in SETTINGS:
            self.fields[name].required = name in REQUIRED
        for name, new in (("pool", "pool_new"), ("guideline", "guideline_new")):
            ask_to_choose(self.fields[name])
            choose_the_only_one(self.fields[name])
            self.fields[name].help_text = _link_to_new(new)
        offer(
            self.fields["languages"],
            [(code, code) for code in campaigns_selection.prompt_languages()],
        )
        offer_rows(self.fields["sources"], campaigns_selection.prompt_sources())
        offer_rows(self.fields["response_sources"], campaigns_selection.response_sources())

    @cached_property
    def open_groups(self) -> dict[str, bool]:
        """Whether a group has a field with an error or another value than on an empty form."""
        defaults = forms.model_to_dict(Campaign(), fields=SETTINGS)

        def is_set(name: str) -> bool:
            return is_changed(self[name], defaults.get(name, self.fields[name].initial))

        return {group: any(map(is_set, names)) for group, names in CLOSED_GROUPS.items()}

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if about := registry.KINDS.get(cleaned.get("kind", "")):
            self._complete(cleaned, about)
        if not self.errors:
            self._check_selection()
        return cleaned

    def _complete(self, cleaned: dict[str, Any], about: type[CampaignSettings]) -> None:
        """Settings that are empty, or that only other kinds have, take their default. Problems
        between fields are shown beside one of them.
        """
        if cleaned.get("overlap") is None and "overlap" not in self.errors:
            cleaned["overlap"] = about.usual_overlap
        # In a conversation, the form of the talk asks for the number of answers.
        own = set(about.names()) - ({"n_responses"} if about.talks else set())
        defaults = {knob.name: knob.default for knob in about.knobs()}
        for name in SETTINGS:
            if name not in own:
                cleaned[name] = getattr(self.instance, name)
            elif cleaned.get(name) is None and name not in self.errors:
                cleaned[name] = defaults[name]
        settings = about(**{name: cleaned[name] for name in about.names() if name in cleaned})
        for problem in settings.problems():
            if problem.field in own and problem.field not in self.errors:
                self.add_error(problem.field, problem.sentence_in(gettext))

    def selection(self) -> Selection:
        """The selected prompts, from the valid fields; invalid fields select nothing."""
        values = self.cleaned_data
        return Selection(
            kind=values.get("kind") or USUAL_KIND,
            categories=tuple(values.get("categories") or ()),
            splits=tuple(values.get("splits") or ()),
            source_ids=tuple(source.pk for source in values.get("sources") or ()),
            languages=tuple(values.get("languages") or ()),
            is_unused=bool(values.get("is_unused")),
            is_unjudged=bool(values.get("is_unjudged")),
            n_prompts=values.get("n_prompts"),
            n_responses=values.get("n_responses"),
            response_source_ids=tuple(source.pk for source in values.get("response_sources") or ()),
        )

    def _check_selection(self) -> None:
        selection = self.selection()
        counts = campaigns_selection.match(selection=selection)
        if counts.n_matching == 0:
            self.add_error(None, no_prompt_matches())
        elif counts.n_fitting == 0:
            self.add_error("response_sources", too_few_responses(selection, counts))
        elif selection.n_prompts is not None and counts.n_fitting < selection.n_prompts:
            self.add_error("n_prompts", fewer_than_requested(selection, counts))


def _link_to_new(view: str) -> SafeString:
    words = {"pool_new": gettext("New pool"), "guideline_new": gettext("New guideline")}
    return format_html('<a href="{}">{}</a>', reverse(view), words[view])


def no_prompt_matches() -> str:
    if not visible(Prompt.objects.all()).exists():
        return gettext("There are no prompts yet. Import a file first.")
    return gettext(
        "No prompts match. Select more categories, splits or sources, or include prompts that are"
        " already in a campaign."
    )


def too_few_responses(selection: Selection, counts: SelectionCounts) -> str:
    most = campaigns_selection.most_responses(selection=selection)
    if most == 0:
        sentence = gettext(
            "None of the %(matching)d matching prompts has a response from these sources. Sample"
            " some first."
        )
    else:
        sentence = gettext(
            "None of the %(matching)d matching prompts has %(wanted)d responses from these sources;"
            " the most is %(most)d. Compare fewer responses, or add a source."
        )
    return sentence % {"matching": counts.n_matching, "wanted": selection.n_responses, "most": most}


def fewer_than_requested(selection: Selection, counts: SelectionCounts) -> str:
    if not selection.needs_responses:
        sentence = ngettext(
            "Only %(n)d prompt matches.", "Only %(n)d prompts match.", counts.n_fitting
        )
        return sentence % {"n": counts.n_fitting}
    sentence = ngettext(
        "Only %(n)d prompt has at least %(wanted)d responses from these sources.",
        "Only %(n)d prompts have at least %(wanted)d responses from these sources.",
        counts.n_fitting,
    )
    return sentence % {"n": counts.n_fitting, "wanted": selection.n_responses}


def initial_of(campaign: Campaign) -> dict[str, object]:
    """Initial values for a copy: everything except the campaign's name, its work, and what it has
    spent.
    """
    chosen = campaign.selection
    copied = [name for name in CampaignForm.Meta.fields if name != "name"]
    return {
        name: getattr(campaign, f"{name}_id", None) or getattr(campaign, name) for name in copied
    } | {
        "name": gettext("%(name)s (copy)") % {"name": campaign.name[:100]},
        "confidence": round(100 * campaign.confidence),
        "overlap_rule": "dynamic" if campaign.max_overlap else "fixed",
        "categories": chosen.get("categories", []),
        "splits": chosen.get("splits", []),
        "languages": chosen.get("languages", []),
        "sources": chosen.get("source_ids", []),
        "response_sources": chosen.get("response_source_ids", []),
        "is_unused": chosen.get("is_unused", True),
        "is_unjudged": chosen.get("is_unjudged", False),
        "n_prompts": chosen.get("n_prompts"),
    }


class ChangeForm(ConflictCheck, EffortForm):
    """The settings that may change while a campaign is running."""

    class Meta:
        model = Campaign
        fields = [name for name in services.CHANGEABLE if name != "confidence"]
        labels = words.labels(registry.setting_names(while_open=True))
        help_texts = words.help_texts(registry.setting_names(while_open=True))

    def __init__(self, data: Mapping[str, object] | None = None, *, instance: Campaign) -> None:
        super().__init__(data, instance=instance)
        own = self.instance.about.names(while_open=True)
        unused = [name for name in services.CHANGEABLE if name not in {"guideline", *own}]
        if "max_overlap" in unused:
            unused.append("overlap_rule")
        for name in unused:
            del self.fields[name]
        self.fields["review_share"].required = False

    def clean(self) -> dict[str, object]:
        cleaned = super().clean()
        if cleaned.get("review_share") is None:
            cleaned["review_share"] = self.instance.review_share  # left empty, it keeps its value
        return cleaned

    def values(self) -> dict[str, object]:
        """Arguments for services.change_campaign, without fields that this kind of campaign does
        not have.
        """
        return {
            name: self.cleaned_data[name] for name in services.CHANGEABLE if name in self.fields
        }


class ItemFilterForm(forms.Form):
    """Filters by status and skip reason."""

    STATUSES = [
        ("", _("Any")),
        ("untouched", _("No answers yet")),
        ("started", _("Some answers")),
        ("finished", _("All answers")),
        ("skipped", _("Skipped by someone")),
        ("calibration", _("Answered by everyone")),
        ("repeats", _("Repeated")),
        ("held", _("On hold")),
        ("spared", _("Spared")),
    ]
    status = forms.ChoiceField(label=_("State"), required=False, choices=STATUSES)
    reason = forms.ChoiceField(
        label=_("Skip reason"), required=False, choices=[("", _("Any")), *Pass.Reason.choices]
    )

    def value(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")
