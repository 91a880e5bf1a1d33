"""Labels that stand alone start with a capital letter, in every language."""

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from labeling.data.prompts.forms import PromptForm
from labeling.models import Campaign
from labeling.pay.forms import RateForm
from pages.form_parts import sentence_case


def test_options_start_with_a_capital_letter() -> None:
    options = [str(label) for _value, label in sentence_case(Campaign.State.choices)]

    assert options == ["Draft", "Open", "Paused", "Closed"]


def test_options_are_translated_when_they_are_shown() -> None:
    with translation.override("de"):
        form = str(RateForm()["kind"])

    assert ">Vergleiche</option>" in form.replace("\n", "")


@pytest.mark.parametrize("name", ["category", "split"])
def test_a_prompts_choices_start_with_a_capital_letter(name: str) -> None:
    choices = PromptForm.base_fields[name].choices  # type: ignore[attr-defined]  # a ChoiceField

    assert [label for _value, label in choices if not str(label)[0].isupper()] == []


@pytest.mark.parametrize("component", ["badge", "state"])
def test_a_badge_starts_with_a_capital_letter(component: str) -> None:
    made = render_to_string(f"components/_{component}.html", {"label": Campaign.State.PAUSED.label})

    assert ">Paused</span>" in made
