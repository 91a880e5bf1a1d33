"""Every text in every field of every shape is kept, or the report names the field."""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from tests.labeling.data.formats.samples import SAMPLES, Sample
from tests.labeling.importers.parsed import assistant, found, only_draft, rows, user

OTHER = "Words that are nowhere else."
NAMES = (
    "prompt text response completion instruction output answer input context chosen rejected system"
    " question title summary critique response_a response_b response1 preferred_output input_text"
)
MORE: dict[str, Any] = dict.fromkeys(NAMES.split(), OTHER) | {
    "messages": [user(OTHER), assistant(OTHER + " Truly.")],
    "conversations": [{"from": "human", "value": OTHER}, {"from": "gpt", "value": "Oh."}],
    "conversation": [{"from": "human", "value": OTHER}, {"from": "gpt", "value": "Oh."}],
    "turns": [OTHER],
    "responses": [OTHER],
    "completions": [OTHER],
    "conversation_a": [user(OTHER), assistant("Oh.")],
}


def kept(drafts: list[ImportDraft]) -> str:
    return "\n".join(
        text
        for draft in drafts
        for text in (
            *(message["content"] for message in (*draft.messages, *draft.further)),
            *(reply.text for reply in draft.replies),
            *(str(reply.marks) for reply in draft.replies),
            draft.worker,
        )
    )


def sentences(value: object) -> Iterator[str]:
    """Texts of more than one word, without those that only name things."""
    if isinstance(value, str):
        if " " in value.strip():
            yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from sentences(part)


def lost(row: dict[str, Any], drafts: list[ImportDraft], report: str) -> list[str]:
    texts = " ".join(kept(drafts).split())
    return [
        name
        for name, value in row.items()
        for text in sentences(value)
        for line in text.replace("###", "")
        .replace("Human:", "\n")
        .replace("Assistant:", "\n")
        .splitlines()
        if not line.startswith("<|im_start|>") and "<|im_end|>" not in line
        if " ".join(line.split()) not in texts and name not in report
    ]


def outcome(content: bytes) -> tuple[list[ImportDraft], str]:
    both = found(content, formats.guess_format(io.BytesIO(content)))
    report = " ".join(str(one) for one in both if isinstance(one, ImportProblem))
    return [one for one in both if isinstance(one, ImportDraft)], report


every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


@every_sample
def test_every_text_of_a_sample_is_kept_or_its_field_is_named(sample: Sample) -> None:
    drafts, report = outcome(rows(*sample.rows))

    assert [name for row in sample.rows for name in lost(row, drafts, report)] == []


@every_sample
def test_one_more_text_in_a_row_is_kept_or_its_field_is_named(sample: Sample) -> None:
    """Whatever the row has beside it: nothing takes its place without a word."""
    silent = []
    for name, value in MORE.items():
        row = sample.rows[0]
        places = [row | {name: value}] if name not in row else []
        if isinstance(row.get("fields"), dict) and name not in row["fields"]:
            places.append(row | {"fields": row["fields"] | {name: value}})
        if isinstance(row.get("data"), dict) and name not in row["data"]:
            places.append(row | {"data": row["data"] | {name: value}})
        for more in places:
            drafts, report = outcome(rows(more))
            if drafts and OTHER not in kept(drafts) and name not in report:
                silent.append(name)
    assert silent == []


# --- prompt and messages --------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["jsonl", "plain"])
def test_a_prompt_beside_its_messages_keeps_the_answer(file_format: str) -> None:
    row = {"prompt": "Hi", "messages": [user("Hi"), assistant("Hello")]}

    draft = only_draft(rows(row), file_format)

    assert (draft.messages, [reply.text for reply in draft.replies]) == ((user("Hi"),), ["Hello"])
    assert draft.replies[0].is_human


@pytest.mark.parametrize(
    "text", ["Hi\n\nHello", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello"]
)
def test_a_prompt_beside_a_text_that_goes_on_from_it_keeps_the_answer(text: str) -> None:
    draft = only_draft(rows({"prompt": "Hi", "text": text}))

    assert (draft.messages, [reply.text for reply in draft.replies]) == ((user("Hi"),), ["Hello"])


def test_a_prompt_beside_another_text_is_reported() -> None:
    problem, draft = found(rows({"prompt": "Summarize.", "text": "A long story."}))

    assert str(problem).startswith("Line 1: text holds something that is not imported")
    assert isinstance(draft, ImportDraft)
