"""Prompts tokenised once for all their responses: the same ids as whole conversations give."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer, UnigramTrainer
from transformers import PreTrainedTokenizerFast

from tests.trainer.tiny import build_tokenizer
from training.trainer import data
from training.trainer.reward.answer_ids import AnswerTokenizer, Conversation

WORDS = [
    "The quick brown fox jumps over the lazy dog.",
    "Why is the sky blue? 12 345",
    "é 日本 👩",
] * 9
LLAMA_2 = (
    "{% for m in messages %}{% if m.role == 'user' %}<s>[INST] {{ m.content | trim }} [/INST]"
    "{% else %} {{ m.content | trim }} </s>{% endif %}{% endfor %}"
)
ZEPHYR = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
WITHOUT_TOKENS = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def pieces(template: str, *, first: bool = True, special: AddedToken | None = None) -> Any:
    """As SentencePiece's: with a space before the first word, or before that of every section."""
    made = Tokenizer(Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first" if first else "always")
    made.decoder = decoders.Metaspace()
    unknown = UnigramTrainer(
        vocab_size=120, unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>"]
    )
    made.train_from_iterator(WORDS, unknown)
    return fast(made, template, special)


def byte_level(template: str, special: AddedToken | None = None) -> Any:
    made = Tokenizer(BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        WORDS,
        BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=["<s>", "</s>"]),
    )
    return fast(made, template, special)


def fast(made: Tokenizer, template: str, special: AddedToken | None) -> PreTrainedTokenizerFast:
    found = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token=special or "</s>", pad_token="<s>"
    )
    found.chat_template = template
    return found


TOKENIZERS = {
    "chatml": build_tokenizer(),
    "pieces, space first": pieces(LLAMA_2),
    "pieces, space always": pieces(LLAMA_2, first=False),
    "pieces, zephyr": pieces(ZEPHYR),
    "bytes": byte_level(LLAMA_2),
    "bytes, zephyr": byte_level(ZEPHYR),
    "no special token": byte_level(WITHOUT_TOKENS),
    "a token that takes spaces": byte_level(
        ZEPHYR.replace("<|", " <|"), AddedToken("<|assistant|>", special=True, lstrip=True)
    ),
}


def one_by_one(tokenizer: Any, conversation: Conversation) -> tuple[list[int], list[list[int]]]:
    prompt = data.prompt_ids(tokenizer, conversation.prompt)
    return prompt, [
        data.response_ids(
            tokenizer,
            conversation.prompt,
            prompt,
            text,
            is_ended=text not in conversation.cut_off,
        )
        for text in conversation.texts
    ]


def read(tokenizer: Any, *conversations: Conversation) -> list[tuple[list[int], list[list[int]]]]:
    found = AnswerTokenizer(tokenizer).read(conversations)
    return [(answers.prompt, answers.responses) for answers in found]


texts = st.text(max_size=30) | st.sampled_from(["</s>", "<|im_end|> x", " The fox", "\n12\n", ""])
turns = st.lists(texts, min_size=1, max_size=3)


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=25, deadline=None)
@given(asked=turns, answers=st.lists(texts, min_size=1, max_size=4, unique=True))
def test_ids_are_those_of_whole_conversations(
    name: str, asked: list[str], answers: list[str]
) -> None:
    prompt = [
        {"role": "assistant" if place % 2 else "user", "content": text}
        for place, text in enumerate([*asked, "?"][: 2 * (len(asked) // 2) + 1])
    ]
    conversation = Conversation(prompt, answers, frozenset(answers[:1]))
    other = Conversation([{"role": "user", "content": "Hello"}], ["Yes.", answers[0]])

    found = read(TOKENIZERS[name], conversation, other)

    assert found == [one_by_one(TOKENIZERS[name], of) for of in (conversation, other)]


class Odd(PreTrainedTokenizerFast):
    """Reads the beginning of a text in its own way."""

    def __call__(self, text: Any, **options: Any) -> Any:
        read = [f"x{one}" for one in text] if isinstance(text, list) else f"x{text}"
        return super().__call__(read, **options)


def test_a_tokenizer_whose_parts_differ_reads_whole_conversations() -> None:
    usual = build_tokenizer()
    odd = Odd(tokenizer_object=usual.backend_tokenizer, eos_token="<|im_end|>", pad_token="x")
    odd.chat_template = usual.chat_template
    conversation = Conversation([{"role": "user", "content": "Sky?"}], ["Blue.", "Red."])

    assert not AnswerTokenizer(odd).can_cut
    assert read(odd, conversation) == [one_by_one(odd, conversation)]


@pytest.mark.parametrize("name", ["chatml", "pieces, zephyr", "bytes, zephyr"])
def test_a_prompt_is_tokenised_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = TOKENIZERS[name]
    reader = AnswerTokenizer(tokenizer)
    assert reader.can_cut
    given: list[str] = []
    whole = type(tokenizer).__call__

    def watched(self: Any, texts: list[str], **options: Any) -> Any:
        given.extend(texts)
        return whole(self, texts, **options)

    monkeypatch.setattr(type(tokenizer), "__call__", watched)
    reader.read([Conversation([{"role": "user", "content": "Sky?"}], ["Blue.", "Red.", "Grey."])])

    assert sum("Sky?" in text for text in given) == 1
