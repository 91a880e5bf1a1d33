"""A prompt's constraints as a checklist."""

from labeling.models import Campaign, Judgment, Rater
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, start, words


def test_the_constraints_of_a_prompt_are_a_checklist(
    rosa: Rater, constrained: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = page_of(client.get(start(client, constrained)))

    assert 'name="keeps-0"' in page
    assert "Names no &lt;b&gt;colour&lt;/b&gt;." in page


def test_an_unticked_constraint_is_a_warning_that_can_be_overruled_and_is_recorded(
    rosa: Rater, constrained: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, constrained)
    answer = {"text": words(60), "keeps-1": "true"}

    warned = page_of(client.post(address + "submit", {"step": "submit", **answer}))
    client.post(
        address + "submit",
        {"step": "submit", "overruled": ["constraint_unticked", "unusual_length"], **answer},
    )

    judgment = Judgment.of_people.get()
    assert "A requirement of the prompt is not checked." in warned
    assert "constraint_unticked" in judgment.warnings
    assert judgment.presentation["constraints"] == {"n": 2, "kept": [1]}


def test_ticked_constraints_say_nothing_and_come_back_in_a_correction(
    rosa: Rater, constrained: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, constrained)
    ticked = {"keeps-0": "true", "keeps-1": "true"}

    client.post(
        address + "submit",
        {"step": "submit", "text": words(60), "overruled": "unusual_length", **ticked},
    )

    assert "constraint_unticked" not in Judgment.of_people.get().warnings
    page = page_of(client.get(address + "correct"))
    assert 'name="keeps-0" value="true" checked' in page


def test_a_draft_keeps_what_was_ticked(
    rosa: Rater, constrained: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, constrained)

    client.post(address + "submit", {"step": "draft", "text": "So far", "keeps-1": "true"})

    assert 'name="keeps-1" value="true" checked' in page_of(client.get(address))
