"""Token ids that a model wrote, as text and in parts: the thinking, which comes first, and the
answer.
"""

import bisect
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from arithmetic import answer_parts, plain_text
from arithmetic.answer_parts import Parts
from training.trainer.modeling import chat_template


def readable(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """PostgreSQL stores no NUL, and a byte-level model can write one."""
    return plain_text.storable(str(tokenizer.decode(list(ids), skip_special_tokens=True)))


def with_tags(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """Readable, with the tags around the thinking, which are special tokens of some models."""
    its = chat_template.thinking_of(tokenizer)
    if not its.tokens:
        return readable(tokenizer, ids)
    kept = [token for token in ids if token not in its.hidden]
    return plain_text.storable(str(tokenizer.decode(kept, skip_special_tokens=False)))


def split(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> Parts:
    its = chat_template.thinking_of(tokenizer)
    return answer_parts.split(with_tags(tokenizer, ids), its.tags, is_opened=its.is_opened)


def within_thinking(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[int]:
    """Ids whose thinking is not closed, without a message that has not begun after it."""
    kept = list(ids)
    while kept and answer_parts.is_between_messages(with_tags(tokenizer, kept)):
        kept.pop()
    return kept


def n_thinking(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], parts: Parts) -> int:
    """How many of the ids are before the answer, with the tags."""
    if parts.tags is None:
        return 0
    if not parts.is_closed:
        return len(ids)
    tags = parts.tags
    return bisect.bisect_left(
        range(len(ids)),
        True,
        key=lambda n: answer_parts.has_answer(with_tags(tokenizer, ids[:n]), tags),
    )
