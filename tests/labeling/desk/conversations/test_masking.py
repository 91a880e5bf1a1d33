"""Names that a model gives itself are hidden, and nothing else is."""

import pytest

from labeling.desk.masking import MASK, masked
from tests.labeling.desk.conversations.self_naming import OF_OTHERS, SELF_NAMING


@pytest.mark.parametrize("case", SELF_NAMING, ids=lambda case: str(case[1]))
def test_a_model_that_names_itself_is_not_named_on_the_page(case: tuple[str, ...]) -> None:
    text, *names = case

    shown = masked(text, source="demo-model-7")

    assert MASK in shown
    assert [name for name in names if name in shown] == []


@pytest.mark.parametrize("text", OF_OTHERS)
def test_a_text_about_something_else_is_shown_as_it_is(text: str) -> None:
    assert masked(text, source="demo-model-7") == text


def test_at_least_fifty_self_naming_answers_are_known() -> None:
    assert len(SELF_NAMING) >= 50


def test_only_the_names_are_hidden() -> None:
    text = "I am Qwen, an assistant by Alibaba.\n\n2 + 2 is **4**."

    assert masked(text) == f"I am {MASK}, an assistant by {MASK}.\n\n2 + 2 is **4**."
