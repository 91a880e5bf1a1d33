"""Texts in a model's template become turns, or are refused: never a prompt with its own answer."""

import pytest

from tests.labeling.importers.parsed import assistant, found, only_draft, rows, user

SYSTEM = {"role": "system", "content": "Below is an instruction."}


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("USER: Hi ASSISTANT: Hello</s>", (user("Hi"),)),
        (
            "USER: Hi ASSISTANT: Oh</s>USER: And? ASSISTANT: Hello</s>",
            (user("Hi"), assistant("Oh"), user("And?")),
        ),
        (
            "A chat between a curious user and an assistant. USER: Hi\nASSISTANT: Hello",
            (
                {"role": "system", "content": "A chat between a curious user and an assistant."},
                user("Hi"),
            ),
        ),
        (
            "Below is an instruction.\n\n### Instruction:\nHi\n\n### Response:\nHello",
            (SYSTEM, user("Hi")),
        ),
        (
            "### Instruction:\nHi\n\n### Input:\nthere\n\n### Response:\nHello",
            (user("Hi\n\nthere"),),
        ),
        ("### Instruction:\nHi\n\n### Input:\n\n### Response:\nHello", (user("Hi"),)),
    ],
)
def test_a_template_becomes_turns(text: str, messages: tuple[dict[str, str], ...]) -> None:
    draft = only_draft(rows({"text": text}))

    assert (draft.messages, [reply.text for reply in draft.replies]) == (messages, ["Hello"])


def test_a_prompt_in_a_template_is_turns_without_an_answer() -> None:
    prompt = "Below is an instruction.\n\n### Instruction:\nHi\n\n### Response:\n"

    draft = only_draft(rows({"prompt": prompt, "completion": "Hello"}), "hf")

    assert (draft.messages, draft.replies[0].text) == ((SYSTEM, user("Hi")), "Hello")


@pytest.mark.parametrize(
    "text",
    [
        "Q: What is bread?\nA: Baked dough.",
        "Question: Why?\nAnswer: Because.\nIt is so.",
        "Human: Hi\nAI: Hello",
        "Instruct: Say hello.\nOutput: Hello",
        "[INST] Hi [/INST] Hello",
        "<|user|>\nHi\n<|assistant|>\nHello",
    ],
)
def test_a_text_that_ends_with_its_answer_is_refused(text: str) -> None:
    [problem] = found(rows({"text": text}))

    assert "is written in a model's chat template" in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        "Q: What is bread?\nA: Baked dough.\nQ: What is cheese?\nA:",
        "Explain the USER: and ASSISTANT words.",
        "Question: why is the sky blue?",
        "Write a dialogue in which a user asks for bread.",
    ],
)
def test_a_text_without_an_answer_at_its_end_is_a_prompt(text: str) -> None:
    assert only_draft(rows({"text": text})).messages == (user(text),)
