"""Prompts in JSON lines and CSV: drafts where they can be read, and a problem with line and
sentence where they cannot.
"""

import gzip
import json
from typing import Any

import pytest

from labeling.importers import drafts, formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import lines
from labeling.models import Prompt
from tests.labeling.importers.parsed import assistant, found, only_draft, only_problem, rows, user


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


@pytest.mark.parametrize(("value", "split"), [("test", "test"), ("dev", ""), (None, "")])
def test_a_row_may_say_which_split_its_prompt_belongs_to(value: str | None, split: str) -> None:
    assert only_draft(rows({"prompt": "Hi", "split": value})).split == split


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
            "Message 1 of `messages` is the result of a tool, but the message before it calls none",
        ),
        ({"messages": [{"role": "critic", "content": "x"}]}, "Unknown role “critic”"),
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


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read(encoding: str) -> None:
    content = ("\ufeff" if encoding != "utf-16" else "") + '{"prompt": "Grüße 🦀"}\n'

    assert only_draft(content.encode(encoding)).messages == (user("Grüße 🦀"),)


def test_damaged_utf16_gives_a_problem_and_nothing_is_published() -> None:
    content = "prompt\nHi\n".encode("utf-16") + b"\x00\xd8a\x00"

    problem = found(content, "csv")[-1]

    assert isinstance(problem, ImportProblem)
    assert problem.is_fatal
    assert "starts as UTF-16" in str(problem)


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
    content = (
        f"model{separator}Prompt{separator}response\nm{separator}Hi{separator}Hello\n".encode()
    )

    draft = only_draft(content, "csv")

    assert (draft.messages, draft.replies[0].text) == ((user("Hi"),), "Hello")


def test_a_csv_cell_may_hold_line_feeds_and_the_next_record_keeps_its_line() -> None:
    first, second = found(b'prompt\n"one\ntwo\nthree"\nfour\n', "csv")

    assert isinstance(first, ImportDraft)
    assert (first.line, first.messages[0]["content"]) == (2, "one\ntwo\nthree")
    assert second.line == 5


def test_an_empty_response_cell_means_that_there_is_none() -> None:
    assert only_draft(b"prompt,response\nHi,\n", "csv").replies == ()


@pytest.mark.parametrize("heading", ["prompt,prompt", "Prompt,response,prompt ", "prompt,x,X"])
def test_a_csv_with_a_column_twice_is_not_read(heading: str) -> None:
    problem = only_problem(f"{heading}\n{heading}\n".encode(), "csv")

    assert "twice" in problem.sentence


def test_columns_that_are_not_imported_are_named_at_the_header() -> None:
    problem, draft = found(b"id,prompt,,,score\n7,Hi,,,3\n", "csv")

    assert str(problem).startswith("Line 1: The fields id, score are not imported.")
    assert isinstance(draft, ImportDraft)


def test_fields_that_are_not_imported_are_named_once_where_they_come_first() -> None:
    content = rows({"prompt": "a"}, {"prompt": "b", "id": 1}, {"prompt": "c", "id": 2, "k": 3})

    problems = [one for one in found(content) if isinstance(one, ImportProblem)]

    assert [(one.line, one.sentence[:25]) for one in problems] == [
        (2, "The field id is not impor"),
        (3, "The field k is not import"),
    ]


def test_names_that_are_keys_of_something_are_not_listed_without_end() -> None:
    content = rows(*({"prompt": "a", f"key {number}": 1} for number in range(100)))

    assert len([one for one in found(content) if isinstance(one, ImportProblem)]) == 20


@pytest.mark.parametrize(
    "line", [b'{"prompt": "a", "prompt": "b"}', b'{"messages": [{"role": "user", "role": "x"}]}']
)
def test_a_key_twice_in_an_object_is_a_problem(line: bytes) -> None:
    problem, draft = found(line + b"\n" + rows({"prompt": "c"}))

    assert "is there twice" in str(problem)
    assert isinstance(draft, ImportDraft)


def test_a_damaged_zip_archive_is_named() -> None:
    problem = only_problem(b"PK\x03\x04" + b"\x00" * 40, "csv")

    assert "archive is damaged" in problem.sentence
    assert problem.is_fatal


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_line_ends_of_old_macs_are_named(file_format: str) -> None:
    content = (
        b'prompt\r"Hi, you"\r' if file_format == "csv" else b'{"prompt": "a"}\r{"prompt": "b"}'
    )

    problem = only_problem(content, file_format)

    assert "carriage returns" in problem.sentence
    assert problem.is_fatal


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


def test_a_cell_that_is_no_utf8_in_a_file_that_is_costs_its_record_only() -> None:
    first, problem, draft = found("prompt\nthé\n".encode() + b"caf\xe9\ntea\n", "csv")

    assert isinstance(first, ImportDraft)
    assert str(problem).startswith("Line 3: A cell is not UTF-8.")
    assert draft.line == 4


SENTENCES = {
    "cp1250": [
        "Gdzie jest położony Kraków?",
        "Který muž je vyšší? Příliš žluťoučký kůň.",
        "Kde je české město?",
        "Hová mész, főnök? Tűző nap, hűs szél.",
        "Šta želiš? Čaša vode, molim.",
        "Unde este orașul și râul?".replace("ș", "ş"),
        "Kde je najbližší obchod? Ďakujem.",
        "Kje je največje mesto? Hvala, učitelj.",
    ],
    "iso8859-2": ["Która książka jest dłuższa?", "Hány év múlva győzünk?"],
    "cp1251": ["Как называется эта река?"],
    "koi8-r": ["Как называется эта река?"],
    "koi8-u": ["Як називається ця річка?"],
    "cp1252": [
        "¿Qué? ¡Hola! Mª Luisa, 3 m³, 20 °C, 5 £, ½ l, naïve, L’été, œuvre, Straße, 1ª",
        "È così, perché più è meglio. Où? L'ère, ès lettres. Història, col·lecció.",
        "Søren så å på en båt; lições, põe; Šárka has Ž in Windows-1252",
    ],
    "cp1253": ["Πώς λέγεται το ποτάμι;"],
    "cp1254": ["İstanbul nerede? Yağmur yağıyor, şemsiye al."],
    "cp1255": ["איפה הנהר?"],
    "cp1256": ["أين النهر؟"],
    "cp1257": ["Kur yra upė? Ačiū, šiandien žiema."],
    "cp1258": ["Đây là đâu?"],
    "cp874": ["แม่น้ำอยู่ที่ไหน"],
    "cp437": ["Größe des Flußes?"],
    "mac-roman": ["Où est l’été ?"],
    "shift_jis": ["テストです", "川の名前をひとつ"],
    "euc-jp": ["川の名前をひとつ"],
    "iso2022_jp": ["川の名前をひとつ"],
    "gbk": ["河流的名字是什么？"],
    "big5": ["河流的名字是什麼？"],
    "euc-kr": ["강의 이름은 무엇입니까?"],
}
IN_ENCODINGS = [(text, encoding) for encoding, texts in SENTENCES.items() for text in texts]


@pytest.mark.parametrize(("text", "encoding"), IN_ENCODINGS)
@pytest.mark.parametrize("between", [",", "\t"])
def test_a_table_in_another_encoding_is_refused_as_a_whole(
    text: str, encoding: str, between: str
) -> None:
    cell = f'"{text}"' if between == "," else text
    content = f"prompt{between}model\nHello{between}m\n{cell}{between}m\nBye{between}m\n"

    entries = found(content.encode(encoding), "csv")

    [draft] = [entry for entry in entries if isinstance(entry, ImportDraft)]
    [problem] = [entry for entry in entries if isinstance(entry, ImportProblem)]
    assert draft.messages == (user("Hello"),)
    assert (problem.line, problem.is_fatal) == (3, True)
    assert problem.sentence.startswith("The file is not UTF-8; this is the first line that is not.")


@pytest.mark.parametrize(("text", "encoding"), IN_ENCODINGS)
def test_texts_of_every_language_are_read_in_utf8_and_utf16(text: str, encoding: str) -> None:
    for unicode in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        draft = only_draft(f'prompt\n"{text}"\n'.encode(unicode), "csv")

        assert draft.messages == (user(text),)


def test_a_heading_in_another_encoding_is_named() -> None:
    problem = only_problem("prompt,größe\nHi,1\n".encode("cp1252"), "csv")

    assert (problem.line, problem.is_fatal) == (1, True)


def test_a_record_over_several_lines_names_the_first_that_is_not_utf8() -> None:
    problem = only_problem('prompt\n"One\ntwo\nthré\n"\n'.encode("cp1252"), "csv")

    assert (problem.line, problem.is_fatal) == (4, True)


def test_lines_that_happen_to_be_utf8_do_not_make_a_file_utf8() -> None:
    *_earlier, problem = found(b"prompt\n\xc4\xa3\ncaf\xe9\nth\xe9\ntea\n", "csv")

    assert isinstance(problem, ImportProblem)
    assert (problem.line, problem.is_fatal) == (3, True)


def test_rows_after_a_quotation_mark_that_never_closes_are_not_lost_in_silence() -> None:
    *_drafts, problem = found(b'prompt,response\nOne,x\n"Two,y\nThree,z\n', "csv")

    assert isinstance(problem, ImportProblem)
    assert (problem.line, problem.is_fatal) == (3, True)


def test_a_csv_cell_may_hold_messages_as_json() -> None:
    content = b'messages\n"[{""role"": ""user"", ""content"": ""Hi""}]"\nHi\n'

    draft, problem = found(content, "csv")

    assert isinstance(draft, ImportDraft)
    assert draft.messages == (user("Hi"),)
    assert "`messages` is not JSON" in str(problem)
