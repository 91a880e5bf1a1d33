"""What importers make of bytes: drafts where they can, a problem with line and sentence where they
cannot.
"""

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.importers import drafts, formats, lines, votes
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.models import Prompt


def found(content: bytes, file_format: str = "jsonl") -> list[ImportDraft | ImportProblem]:
    return list(formats.read(io.BytesIO(content), file_format))


def rows(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def only_problem(content: bytes, file_format: str = "jsonl") -> ImportProblem:
    [problem] = found(content, file_format)
    assert isinstance(problem, ImportProblem)
    return problem


def only_draft(content: bytes, file_format: str = "jsonl") -> ImportDraft:
    [draft] = found(content, file_format)
    assert isinstance(draft, ImportDraft)
    return draft


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


# --- plain JSON lines -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "Hi"},
        {"text": "Hi"},
        {"messages": [user("Hi")]},
        "Hi",
        {"prompt": 7, "text": "Hi"},
    ],
)
def test_a_prompt_is_found_under_each_name_it_may_have(value: Any) -> None:
    assert only_draft(rows(value)).messages == (user("Hi"),)


def test_category_language_and_response_come_along() -> None:
    draft = only_draft(
        rows({"prompt": "Hi", "category": "Open QA", "language": "pt-BR", "response": "Hello"})
    )

    assert (draft.category, draft.language) == ("open_qa", "pt-br")
    assert [(reply.text, reply.is_human) for reply in draft.replies] == [("Hello", True)]


def test_a_category_of_somebody_elses_keeps_the_prompt_and_is_reported() -> None:
    problem, draft = found(rows({"prompt": "Hi", "category": "poetry"}))

    assert isinstance(draft, ImportDraft)
    assert draft.category == "other"
    assert "Unknown `category` “poetry”" in str(problem)


def test_categories_are_the_tables_own() -> None:
    assert set(drafts.CATEGORIES) == set(Prompt.Category.values)


def test_kinds_of_upsetting_content_are_the_tables_own() -> None:
    assert list(drafts.UPSETTING) == Prompt.Upset.values


@pytest.mark.parametrize(
    ("given", "kinds", "n_problems"),
    [
        (["hate", "violence"], ("violence", "hate"), 0),
        ("Self-harm, hate", ("self_harm", "hate"), 0),
        ("gore", ("other",), 1),
        (["hate", "gore"], ("hate", "other"), 1),
        (7, ("other",), 1),
        (None, (), 0),
        ("", (), 0),
        (False, (), 0),
    ],
)
def test_upsetting_content_is_named_in_a_column(
    given: Any, kinds: tuple[str, ...], n_problems: int
) -> None:
    sensitive, _constraints, problems = drafts.asks(1, {"sensitive": given})

    assert sensitive == kinds
    assert len(problems) == n_problems


@pytest.mark.parametrize(
    ("given", "sentences", "n_problems"),
    [
        (["Rhymes.", " Is short. "], ("Rhymes.", "Is short."), 0),
        ("Rhymes.\n\nIs short.", ("Rhymes.", "Is short."), 0),
        ([1], (), 1),
        (["\0"], (), 1),
        (["Rhymes."] * 40, ("Rhymes.",) * 30, 1),
    ],
)
def test_constraints_come_in_a_column(
    given: Any, sentences: tuple[str, ...], n_problems: int
) -> None:
    _kinds, constraints, problems = drafts.asks(1, {"constraints": given})

    assert constraints == sentences
    assert len(problems) == n_problems


def test_messages_that_end_with_a_reply_are_a_prompt_and_its_answer() -> None:
    draft = only_draft(rows({"messages": [system("Be brief."), user("Hi"), assistant("Hello")]}))

    assert draft.messages == (system("Be brief."), user("Hi"))
    assert draft.replies[0].text == "Hello"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"prompt": ""}, "`prompt` is empty"),
        ({"prompt": " \n"}, "`prompt` is empty"),
        ({"prompt": True}, "`prompt` is a yes/no value, but must be text"),
        ({"prompt": 3.5}, "`prompt` is a number, but must be text"),
        ({"prompt": {"a": 1}}, "`prompt` is an object, but must be text"),
        ({"prompt": "Hi", "response": False}, "`response` is a yes/no value"),
        (
            {"prompt": "Hi", "response": " "},
            "`response` is empty. Add a response or remove this line.",
        ),
        ({"answer": "Hi"}, "`prompt`, `text` and `messages` are all missing"),
        ({"messages": []}, "is not a list of messages"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "Unknown role “tool” in `messages[0]`",
        ),
        ({"messages": [{"role": True, "content": "x"}]}, "Unknown role “True” in `messages[0]`"),
        ({"messages": [system("a"), system("b"), user("c")]}, "has 2 system messages"),
        (
            {"messages": [user("a"), system("b")]},
            "The system message of `messages` must come first",
        ),
        ({"messages": [system("a")]}, "has no user message"),
        ({"messages": [assistant("a"), user("b")]}, "starts with a reply that has no prompt"),
        ({"messages": [user("a"), user("b")]}, "two user messages in a row"),
        ({"messages": [user("a"), "b"]}, "`messages[1]` is text, but must be a message"),
        ({"messages": [{"role": "user", "content": None}]}, "`messages[0].content` is missing"),
        ({"prompt": "a\u0000b"}, "contains an invalid character"),
        ({"prompt": "a\ud800b"}, "contains an invalid character"),
        ({"prompt": "x" * 200_001}, "has 200001 characters; the limit is 200000"),
        (7, "neither an object nor text"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(value: Any, says: str) -> None:
    problem = only_problem(b"\n" + rows(value))

    assert problem.line == 2
    assert says in problem.sentence


def test_every_problem_is_reported_and_good_lines_are_kept() -> None:
    content = rows({"prompt": ""}, {"prompt": "One"}, {"prompt": True}, {"prompt": "Two"})

    assert [(type(one).__name__, one.line) for one in found(content)] == [
        ("ImportProblem", 1),
        ("ImportDraft", 2),
        ("ImportProblem", 3),
        ("ImportDraft", 4),
    ]


def test_a_problem_reads_as_a_sentence_with_its_line() -> None:
    problem = only_problem(rows({"prompt": "Hi", "chosen": "", "rejected": "No"}), "hf")

    assert str(problem) == "Line 1: `chosen` is empty. Add a response or remove this line."


# --- bytes ----------------------------------------------------------------------------------------
def test_line_separators_inside_a_string_do_not_end_the_line() -> None:
    text = "one\u2028two\u2029three\x85four\x0bfive"
    content = (
        json.dumps({"prompt": text}, ensure_ascii=False).encode() + b"\n" + rows({"prompt": "next"})
    )

    first, second = found(content)

    assert isinstance(first, ImportDraft)
    assert first.messages[0]["content"] == text
    assert second.line == 2


def test_a_byte_order_mark_is_passed_over() -> None:
    assert only_draft(b"\xef\xbb\xbf" + rows({"prompt": "Hi"})).messages == (user("Hi"),)


def test_windows_line_ends_are_line_ends() -> None:
    assert len(found(b'{"prompt": "a"}\r\n{"prompt": "b"}\r\n')) == 2


def test_gzip_is_known_by_its_first_bytes() -> None:
    assert only_draft(gzip.compress(rows({"prompt": "Hi"}))).messages == (user("Hi"),)


def test_a_cut_off_gzip_gives_what_came_before_and_a_problem() -> None:
    content = gzip.compress(
        rows(*({"prompt": f"Prompt {i} {hash(str(i))}"} for i in range(20_000)))
    )

    *good, last = found(content[: len(content) // 2])

    assert len(good) > 1000
    assert "The compressed file ends too early" in str(last)


def test_a_damaged_gzip_gives_a_problem() -> None:
    content = bytearray(gzip.compress(rows(*({"prompt": f"Prompt {i}"} for i in range(1000)))))
    content[len(content) // 2] ^= 0xFF

    assert "damaged" in str(found(bytes(content))[-1]) or "ends too early" in str(
        found(bytes(content))[-1]
    )


def test_a_file_cut_off_in_the_middle_of_a_line_says_so() -> None:
    good, problem = found(rows({"prompt": "a"}) + b'{"prompt": "b')

    assert isinstance(good, ImportDraft)
    assert str(problem).startswith("Line 2: The file ends in the middle of this line.")


def test_a_last_line_without_a_line_feed_is_read() -> None:
    assert only_draft(b'{"prompt": "a"}').line == 1


def test_bytes_that_are_no_utf8_cost_their_line_only() -> None:
    problem, draft = found(b'{"prompt": "caf\xe9"}\n' + rows({"prompt": "tea"}))

    assert (
        str(problem)
        == "Line 1: Byte 16 is not UTF-8. Save the file as UTF-8, or fix or remove this line."
    )
    assert isinstance(draft, ImportDraft)


def test_utf16_is_named() -> None:
    assert "The file is in UTF-16" in only_problem('{"prompt": "a"}\n'.encode("utf-16")).sentence


def test_one_json_list_is_named() -> None:
    assert "a single JSON list" in only_problem(b'[\n  {"prompt": "a"}\n]\n').sentence


def test_a_line_that_is_too_long_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 100)

    problem, draft = found(rows({"prompt": "x" * 200}, {"prompt": "short"}))

    assert "The line has 214 bytes; the limit is 100" in str(problem)
    assert draft.line == 2


@pytest.mark.parametrize("content", [b"[" * 100_000 + b"\n", b'{"prompt": ' + b"9" * 5000 + b"}\n"])
def test_json_that_would_break_the_parser_is_a_problem(content: bytes) -> None:
    assert only_problem(content).line == 1


def test_an_empty_file_gives_nothing() -> None:
    assert [found(b"", file_format) for file_format in formats.FORMATS] == [[]] * len(
        formats.FORMATS
    )


# --- CSV ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_with_the_separator_of_its_heading(separator: str) -> None:
    content = f"id{separator}Prompt{separator}response\n1{separator}Hi{separator}Hello\n".encode()

    draft = only_draft(content, "csv")

    assert (draft.messages, draft.replies[0].text) == ((user("Hi"),), "Hello")


def test_a_csv_cell_may_hold_line_feeds_and_the_next_record_keeps_its_line() -> None:
    first, second = found(b'prompt\n"one\ntwo\nthree"\nfour\n', "csv")

    assert isinstance(first, ImportDraft)
    assert (first.line, first.messages[0]["content"]) == (2, "one\ntwo\nthree")
    assert second.line == 5


def test_an_empty_response_cell_means_that_there_is_none() -> None:
    assert only_draft(b"prompt,response\nHi,\n", "csv").replies == ()


def test_a_csv_without_a_column_for_the_prompt_is_named_once() -> None:
    assert (
        "No column is named prompt, text or messages"
        in only_problem(b"question\na\nb\n", "csv").sentence
    )


def test_a_csv_record_with_too_many_cells_is_a_problem() -> None:
    problem, draft = found(b"prompt,category\na,chat,more\nb,chat\n", "csv")

    assert "3 cells, but the header has 2" in str(problem)
    assert isinstance(draft, ImportDraft)


def test_a_csv_quotation_mark_that_never_closes_is_a_problem() -> None:
    assert (
        "A quotation mark is not closed here"
        in only_problem(b'prompt\n"never closed\nmore\n', "csv").sentence
    )


def test_a_csv_cell_that_is_no_utf8_costs_its_record_only() -> None:
    problem, draft = found(b"prompt\ncaf\xe9\ntea\n", "csv")

    assert str(problem).startswith("Line 2: A cell is not UTF-8.")
    assert draft.line == 3


def test_a_csv_cell_may_hold_messages_as_json() -> None:
    content = b'messages\n"[{""role"": ""user"", ""content"": ""Hi""}]"\nHi\n'

    draft, problem = found(content, "csv")

    assert isinstance(draft, ImportDraft)
    assert draft.messages == (user("Hi"),)
    assert "`messages` is not JSON" in str(problem)


# --- Open-Assistant trees -------------------------------------------------------------------------
def node(role: str, text: str, *replies: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "text": text, "replies": list(replies), **more}


def tree(root: dict[str, Any]) -> bytes:
    return rows({"message_tree_id": "t", "prompt": root})


def test_each_user_turn_of_a_tree_is_a_prompt_in_its_history() -> None:
    root = node(
        "prompter", "a", node("assistant", "b", node("prompter", "c")), node("assistant", "d")
    )

    prompts = [
        draft.messages
        for draft in found(tree(root), "openassistant")
        if isinstance(draft, ImportDraft)
    ]

    assert prompts == [(user("a"),), (user("a"), assistant("b"), user("c"))]


def test_all_prompts_of_a_tree_belong_together() -> None:
    root = node("prompter", "a", node("assistant", "b", node("prompter", "c")))

    assert {
        draft.group
        for draft in found(tree(root), "openassistant")
        if isinstance(draft, ImportDraft)
    } == {"t"}


def test_ranks_are_counted_from_one_with_ties_and_gaps() -> None:
    replies = [
        node("assistant", text, rank=rank)
        for text, rank in (("w", 3), ("x", 0), ("y", 3), ("z", None))
    ]

    draft = only_draft(tree(node("prompter", "a", *replies)), "openassistant")

    assert draft.is_compared
    assert [(reply.text, reply.rank) for reply in draft.replies] == [
        ("w", 2),
        ("x", 1),
        ("y", 2),
        ("z", None),
    ]


def test_one_ranked_reply_is_no_comparison() -> None:
    replies = [node("assistant", "x", rank=0), node("assistant", "y")]

    assert not only_draft(tree(node("prompter", "a", *replies)), "openassistant").is_compared


def test_deleted_replies_and_what_hangs_below_them_are_left_out() -> None:
    root = node("prompter", "a", node("assistant", "b", node("prompter", "c"), deleted=True))

    assert only_draft(tree(root), "openassistant").replies == ()


def test_a_machines_reply_is_no_demonstration() -> None:
    draft = only_draft(
        tree(node("prompter", "a", node("assistant", "b", synthetic=True))), "openassistant"
    )

    assert [reply.is_human for reply in draft.replies] == [False]


def test_two_siblings_with_the_same_text_are_one() -> None:
    root = node("prompter", "a", node("assistant", "b", rank=0), node("assistant", " b", rank=1))

    assert len(only_draft(tree(root), "openassistant").replies) == 1


@pytest.mark.parametrize(
    ("root", "says"),
    [
        (node("assistant", "a"), "starts with a reply that has no prompt"),
        (node("moderator", "a"), "Unknown role “moderator”"),
        (node("prompter", ""), "`text` is empty"),
        (node("prompter", "a", replies="none"), "`replies` is not a list"),
    ],
)
def test_a_tree_that_cannot_be_used_says_why(root: dict[str, Any], says: str) -> None:
    assert says in only_problem(tree(root), "openassistant").sentence


def test_a_bad_reply_costs_itself_and_not_the_tree() -> None:
    problems = found(
        tree(
            node(
                "prompter",
                "a",
                node("assistant", ""),
                node("prompter", "b"),
                "c",
                node("assistant", "d"),
            )
        ),
        "openassistant",
    )

    assert [type(one).__name__ for one in problems] == [
        "ImportDraft",
        "ImportProblem",
        "ImportProblem",
        "ImportProblem",
    ]


def test_a_rank_that_is_no_number_leaves_the_replies_unranked() -> None:
    root = node("prompter", "a", node("assistant", "b", rank=True), node("assistant", "c", rank=1))

    problem, draft = found(tree(root), "openassistant")

    assert isinstance(draft, ImportDraft)
    assert not draft.is_compared
    assert "A `rank` is not a whole number" in str(problem)


# --- chosen and rejected --------------------------------------------------------------------------
def test_transcripts_split_into_the_shared_prompt_and_two_responses() -> None:
    start = "\n\nHuman: One?\n\nAssistant: Two.\n\nHuman: Three?\n\nAssistant:"

    draft = only_draft(
        rows({"chosen": start + " Good.\n\nMore.", "rejected": start + " Bad."}), "hh"
    )

    assert draft.messages == (user("One?"), assistant("Two."), user("Three?"))
    assert [(reply.text, reply.rank) for reply in draft.replies] == [
        ("Good.\n\nMore.", 1),
        ("Bad.", 2),
    ]


@pytest.mark.parametrize(
    ("chosen", "rejected", "says"),
    [
        ("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: b", "are the same text"),
        (
            "\n\nHuman: a\n\nAssistant: b",
            "\n\nHuman: c\n\nAssistant: d",
            "differ before the last reply",
        ),
        (
            "\n\nHuman: a\n\nAssistant:",
            "\n\nHuman: a\n\nAssistant: d",
            "`chosen` is empty. Add a response",
        ),
        ("\n\nHuman: a", "\n\nHuman: a\n\nAssistant: d", "does not end with a reply"),
        ("\n\nAssistant: a", "\n\nAssistant: b", "starts with a reply that has no prompt"),
        ("hello", "\n\nHuman: a\n\nAssistant: d", "must start with “Human:”"),
        (True, "\n\nHuman: a\n\nAssistant: d", "`chosen` is a yes/no value"),
    ],
)
def test_transcripts_that_cannot_be_compared_say_why(chosen: Any, rejected: Any, says: str) -> None:
    assert says in only_problem(rows({"chosen": chosen, "rejected": rejected}), "hh").sentence


# --- Hugging Face shapes --------------------------------------------------------------------------
@pytest.mark.parametrize(
    "value",
    [
        {"messages": [user("Hi"), assistant("Hello")]},
        {"prompt": "Hi", "completion": "Hello"},
        {"prompt": [user("Hi")], "completion": [assistant("Hello")]},
    ],
)
def test_a_completion_is_a_demonstration_in_each_shape(value: Any) -> None:
    draft = only_draft(rows(value), "hf")

    assert (draft.messages, draft.replies[0].text, draft.replies[0].is_human) == (
        (user("Hi"),),
        "Hello",
        True,
    )


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "Hi", "chosen": "Good", "rejected": "Bad"},
        {"prompt": [user("Hi")], "chosen": [assistant("Good")], "rejected": [assistant("Bad")]},
        {"chosen": [user("Hi"), assistant("Good")], "rejected": [user("Hi"), assistant("Bad")]},
    ],
)
def test_a_preference_is_a_comparison_in_each_shape(value: Any) -> None:
    draft = only_draft(rows(value), "hf")

    assert draft.is_compared
    assert draft.messages == (user("Hi"),)
    assert [(reply.text, reply.rank) for reply in draft.replies] == [("Good", 1), ("Bad", 2)]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"chosen": "a", "rejected": "b"}, "`prompt` is missing"),
        ({"prompt": "Hi", "chosen": "a"}, "`rejected` is missing"),
        ({"prompt": "Hi", "completion": [user("a")]}, "must be a single assistant message"),
        (
            {"prompt": [user("a"), assistant("b")], "completion": "c"},
            "does not end with a user message",
        ),
        (
            {"chosen": [user("a"), assistant("b")], "rejected": [user("c"), assistant("d")]},
            "differ before the last reply",
        ),
        ("Hi", "not a JSON object"),
    ],
)
def test_a_training_row_that_cannot_be_used_says_why(value: Any, says: str) -> None:
    assert says in only_problem(rows(value), "hf").sentence


# --- votes ----------------------------------------------------------------------------------------
PAIR = {"id": 4, "text": "Hi", "model_x": 1, "result_x": "Left", "model_y": 2, "result_y": ""}


def voted(content: bytes, *pairs: Any) -> list[ImportDraft | ImportProblem]:
    return list(votes.read(io.BytesIO(content), io.BytesIO(rows(*pairs))))


@pytest.mark.parametrize(
    ("winner", "ranks"), [("left", [1, 2]), ("right", [2, 1]), ("tie", [1, 1])]
)
def test_a_vote_ranks_two_responses(winner: str, ranks: list[int]) -> None:
    [draft] = voted(f"id,worker,winner\n4,58,{winner}\n".encode(), PAIR)

    assert isinstance(draft, ImportDraft)
    assert (draft.worker, [reply.rank for reply in draft.replies]) == ("58", ranks)


@pytest.mark.parametrize(
    ("vote", "says"),
    [
        ("5,58,left", "No pair has the ID “5”"),
        ("4,58,both", "`winner` is “both”"),
        ("4,,left", "`worker` is empty"),
    ],
)
def test_a_vote_that_cannot_be_used_says_why(vote: str, says: str) -> None:
    [problem] = voted(f"id,worker,winner\n{vote}\n".encode(), PAIR)

    assert says in str(problem)


# --- whatever comes -------------------------------------------------------------------------------
KEYS = "prompt text messages role content chosen rejected completion replies rank category language"
SAID = ["user", "assistant", "system", "prompter", "\n\nHuman: a\n\nAssistant: b"]
HEADS = [b"", b"\x1f\x8b", b"\xef\xbb\xbf", b"prompt\n", b'{"prompt": "a"}\n', b'"']
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
