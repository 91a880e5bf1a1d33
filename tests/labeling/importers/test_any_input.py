"""Importers on any bytes: none raise, the first line tells the format, memory stays constant."""

import gzip
import io
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from tests.labeling.importers.parsed import PAIR, found, node, rows, tree, voted

# --- whatever comes -------------------------------------------------------------------------------


KEYS = (
    "prompt text messages role content chosen rejected completion replies rank category language"
    " label labels score completions conversations from value instruction output response turns"
    " responses source message_id parent_id winner model_a conversation_a conversation_b fields"
    " data annotations result completed_by id license overall_preference context response1"
    " response2 response_a response_b type ranker weight input preferred_output items"
)
SAID = [
    "user",
    "assistant",
    "system",
    "prompter",
    "human",
    "gpt",
    "pairwise",
    "model_a",
    "\n\nHuman: a\n\nAssistant: b",
    "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb",
]
HEADS = [
    b"",
    b"\x1f\x8b",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"PK\x03\x04",
    b"PAR1",
    b"[",
    b"prompt\n",
    b'{"prompt": "a"}\n',
    b'"',
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(KEYS.split()), inner | st.sampled_from(SAID), max_size=5)


JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | objects(inner), max_leaves=12
)


@settings(deadline=None)
@given(content=st.binary(max_size=300), head=st.sampled_from(HEADS))
@pytest.mark.parametrize("file_format", formats.FORMATS)
def test_no_bytes_raise(file_format: str, content: bytes, head: bytes) -> None:
    assert all(
        isinstance(one, ImportDraft | ImportProblem) for one in found(head + content, file_format)
    )
    assert formats.guess_format(io.BytesIO(head + content)) in formats.FORMATS


@settings(deadline=None)
@given(values=st.lists(JSON, max_size=4))
@pytest.mark.parametrize("file_format", formats.FORMATS)
def test_no_json_raises_and_every_draft_can_be_stored(file_format: str, values: list[Any]) -> None:
    for one in found(rows(*values), file_format):
        if isinstance(one, ImportProblem):
            one.sentence.encode()
            continue
        assert one.messages[-1]["role"] == "user"
        for text in [m["content"] for m in one.messages] + [reply.text for reply in one.replies]:
            assert text.strip()
            assert "\0" not in text
            text.encode()


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_no_votes_raise(content: bytes) -> None:
    assert all(
        isinstance(one, ImportDraft | ImportProblem)
        for one in voted(b"id,worker,winner\n" + content, PAIR)
    )


# --- guessing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "file_format"),
    [
        (rows({"prompt": "a"}), "jsonl"),
        (rows("a"), "jsonl"),
        (b"id,prompt\n1,a\n", "csv"),
        (tree(node("prompter", "a")), "openassistant"),
        (rows({"chosen": "\n\nHuman: a", "rejected": "b"}), "hh"),
        (rows({"prompt": "a", "chosen": "b", "rejected": "c"}), "hf"),
        (rows({"prompt": "a", "completion": "b"}), "hf"),
        # mtime: the bytes name the test, and every test process must name it alike
        (gzip.compress(b"\xef\xbb\xbf\n" + rows({"prompt": "a"}), mtime=0), "jsonl"),
        (b"", "csv"),
    ],
)
def test_the_first_line_tells_the_format(content: bytes, file_format: str) -> None:
    assert formats.guess_format(io.BytesIO(content)) == file_format


# --- constant memory ------------------------------------------------------------------------------


class Repeated(io.BytesIO):
    """A file of `n` times the same bytes that is made while it is read, so that its own size does
    not count.
    """

    def __init__(self, n: int, piece: bytes) -> None:
        super().__init__()
        self.n_left = n
        self.piece = piece

    def read(self, size: int | None = -1) -> bytes:
        n = min(self.n_left, max(1, (size or 0) // len(self.piece)))
        self.n_left -= n
        return self.piece * n


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file_format", "line", "n_lines"),
    [("jsonl", rows({"prompt": "x" * 400}), 25_000), ("csv", b"prompt\n", 10_000)],
    ids=["jsonl", "csv"],
)
def test_a_large_file_is_read_in_constant_memory(
    file_format: str, line: bytes, n_lines: int
) -> None:
    tracemalloc.start()
    n = sum(1 for _ in formats.read(Repeated(n_lines, line), file_format))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert n >= n_lines - 1
    assert peak < 8_000_000


def test_a_file_of_one_endless_line_is_read_in_constant_memory() -> None:
    tracemalloc.start()
    [problem] = formats.read(Repeated(2_000, b"x" * 100_000), "jsonl")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "The line has 200000000 bytes" in str(problem)
    assert peak < 64_000_000
