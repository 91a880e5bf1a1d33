"""A column that nothing reads and whose values are few: in whatever language it may call an answer
bad, so its rows give no demonstration.
"""

import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft
from labeling.importers.few_values import FEW
from tests.labeling.importers.parsed import assistant, found, node, rows, tree, user
from tests.labeling.importers.shapes.test_unknown_verdicts import (
    REWRITTEN,
    WRITTEN,
    demonstrations,
)

NAMES = (
    "bewertung urteil geprüft freigabe avis jugement appréciation calidad juicio nota aprobado"
    " valutazione giudizio esito avaliação beoordeling ocena wynik arvosana betyg hodnocení puan"
    " оценка решение 评价 质量 評価 判定 평가 تقييم מצב मूल्यांकन xyz q7 col3 annotation.avis"
)
PLACES = sorted(place for place in WRITTEN if not place.startswith("table"))
"""Without tables of raters' answers, which have a test of their own."""
VERDICTS: list[list[Any]] = [
    ["abgelehnt", "gut"],
    ["mauvais", "bon", "très bon"],
    ["mala", "buena", "regular"],
    ["odrzucone", "przyjęte"],
    ["плохо", "хорошо"],
    ["差", "好"],
    ["悪い", "良い"],
    ["رديء", "جيد"],
    ["A", "B", "C", "D", "F"],
    ["j", "n"],
    ["+", "-", "o"],
    [2, 3, 4, 5, 6],
    ["2,5", "4,0"],
    ["3/10", "9/10"],
    ["40 %", "85 %"],
    [17, 88, 93, 55],
    [n + 0.5 for n in range(2, 42)],
    ["nicht zu gebrauchen", "so lassen"],
]


def n_demonstrations(rows_: list[dict[str, Any]]) -> int:
    content = rows(*rows_)
    drafts = found(content, formats.guess_format(io.BytesIO(content)))
    replies = [
        reply for draft in drafts if isinstance(draft, ImportDraft) for reply in draft.replies
    ]
    assert sum(reply.text == "Hello" for reply in replies) == len(rows_)
    return sum(reply.is_human for reply in replies)


@given(
    place=st.sampled_from(PLACES),
    name=st.sampled_from(NAMES.split()) | st.text("abcdeéßжあ_", min_size=3, max_size=9),
    values=st.sampled_from(VERDICTS),
    n_rows=st.integers(1, 40),
    shape=st.sampled_from(["{}", "[]", "plain"]),
    chance=st.randoms(use_true_random=False),
)
def test_a_column_of_few_values_gives_no_demonstration_whatever_it_is_called(
    place: str, name: str, values: list[Any], n_rows: int, shape: str, chance: Any
) -> None:
    cells = [chance.choice(values) for _row in range(n_rows)]
    if shape != "plain":
        cells = [[cell] if shape == "[]" else {name: cell} for cell in cells]

    assert n_demonstrations([WRITTEN[place] | {name: cell} for cell in cells]) == 0


@given(
    place=st.sampled_from(["table", "table of pairs"]),
    name=st.sampled_from(NAMES.split()),
    values=st.sampled_from(VERDICTS),
)
@example(place="table", name="bewertung", values=["abgelehnt"])
def test_a_text_typed_beside_a_short_unknown_column_is_no_demonstration(
    place: str, name: str, values: list[Any]
) -> None:
    for value in values:
        assert demonstrations(WRITTEN[place] | {name: value}) == []


@pytest.mark.parametrize(
    "column",
    [
        {"source": "forum"},
        {"lang": "de"},
        {"topic": "Rivers"},
        {"quelle": "Forum"},
        {"bemerkung": "Lang. " * 10},
        {"HITId": "3X", "Input.color": "red", "MaxAssignments": "3", "Keywords": "write"},
    ],
    ids=str,
)
def test_usual_columns_leave_typed_texts(column: dict[str, Any]) -> None:
    assert demonstrations(WRITTEN["table"] | column) == [REWRITTEN]


@given(name=st.sampled_from(NAMES.split()), values=st.sampled_from(VERDICTS))
@example(name="bewertung", values=["abgelehnt"])
def test_a_message_with_a_field_of_few_values_gives_no_demonstration(
    name: str, values: list[Any]
) -> None:
    marked = [[user("Hi"), assistant("Hello") | {name: value}] for value in values]

    assert n_demonstrations([{"messages": messages} for messages in marked]) == 0


def test_a_column_that_is_first_filled_late_gives_no_demonstration() -> None:
    rows_ = [dict(WRITTEN["response"]) for _row in range(300)]
    rows_[290]["bewertung"] = "abgelehnt"

    assert n_demonstrations(rows_) == 299


def test_a_file_with_one_verdict_for_all_rows_gives_no_demonstration() -> None:
    assert n_demonstrations([WRITTEN["response"] | {"avis": "mauvais"}] * 500) == 0


def test_a_reply_in_a_tree_with_a_short_unknown_field_is_no_demonstration() -> None:
    nested = tree(node("prompter", "Hi", node("assistant", "Hello") | {"avis": "mauvais"}))
    flat = rows(
        {"message_id": "a", "parent_id": None, "role": "prompter", "text": "Hi"},
        {"message_id": "b", "parent_id": "a", "role": "assistant", "text": "Hello", "avis": "B"},
    )

    for content, file_format in ((nested, "openassistant"), (flat, "oasst_flat")):
        [draft] = [part for part in found(content, file_format) if isinstance(part, ImportDraft)]
        assert [reply.is_human for reply in draft.replies] == [False]


@pytest.mark.parametrize(
    "field",
    [
        *({"source": "forum"}, {"category": "chat"}, {"lang": "de"}, {"split": "train"}),
        *({"topic": "Rivers"}, {"topic_2": "Seas"}, {"task_type": "qa"}, {"n_turns": 2}),
        *(
            {"language_code": "deu"},
            {"license": "mit"},
            {"dataset": "x"},
            {"metadata": {"url": "x"}},
        ),
        *({"quelle": "Forum"}, {"catégorie": "Fleuves"}, {"тема": "реки"}, {"来源": "论坛"}),
        *({"difficulty": "easy"}, {"tools": "[]"}, {"erstellt": "2026-03-02"}, {"fundort": ""}),
        *({"laenge": 412}, {"verweis": "https://example.org"}, {"kommentar": "Lang. " * 10}),
    ],
    ids=str,
)
def test_usual_columns_leave_the_demonstrations(field: dict[str, Any]) -> None:
    assert n_demonstrations([WRITTEN["response"] | field] * 3) == 3


def test_many_values_leave_the_demonstrations() -> None:
    named = [WRITTEN["response"] | {"fluss": f"Fluss {letter}"} for letter in "abcdefghijklmno"]
    numbered = [WRITTEN["response"] | {"laufend": n} for n in range(2, 60)]

    assert len(named) > FEW
    assert (n_demonstrations(named), n_demonstrations(numbered)) == (15, 58)


def test_the_report_says_once_which_column_with_which_values_and_what_to_do() -> None:
    content = b"prompt,response,bewertung\nHi,Hello,gut\nHo,Hello,abgelehnt\nHu,Hello,gut\n"

    problems = [str(part) for part in found(content, "csv") if not isinstance(part, ImportDraft)]

    [sentence] = [problem for problem in problems if "not as demonstrations" in problem]
    assert sentence.startswith("Line 2: bewertung (abgelehnt, gut) may say in other words whether")
    assert "choose it as “Good or bad” under Columns" in sentence


def test_somebody_can_say_what_the_column_means() -> None:
    content = rows(*(WRITTEN["response"] | {"avis": value} for value in ("true", "false", "bof")))

    drafts = list(formats.read(io.BytesIO(content), "jsonl", {"label": "avis"}))

    replies = [part.replies[0] for part in drafts if isinstance(part, ImportDraft)]
    assert [reply.is_human for reply in replies] == [True, False, False]
