"""Tasks of lm-evaluation-harness as suites: what is read, and that no task may run a program, read
another file or call the network.
"""

import io
import json
import zipfile
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import settings
from hypothesis import strategies as st

from training.benchmarks.scoring.answers import Answer, Item
from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites.formats import lm_eval_task, reading
from training.benchmarks.suites.formats.problems import Notes
from training.benchmarks.suites.formats.reading import Reading
from training.benchmarks.suites.formats.uploads import SuiteFile

ABOUT = {
    "id": "capitals",
    "version": "1",
    "name": "Capitals",
    "kind": "lm-eval",
    "area": "capability",
    "licence": "CC0-1.0",
}
TASK: dict[str, Any] = {
    "task": "capitals",
    "dataset_path": "json",
    "output_type": "multiple_choice",
    "doc_to_text": "{{ q }}",
    "doc_to_choice": ["Paris", "Rome"],
    "doc_to_target": "answer",
}
ROWS = [{"q": "Capital of France?", "answer": 0}, {"q": "Capital of Italy?", "answer": 1}]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def upload(given: dict[str, Any] | bytes, /, *more: SuiteFile, **about: Any) -> Reading:
    content = given if isinstance(given, bytes) else yaml.safe_dump(given, sort_keys=False).encode()
    files = [
        SuiteFile("suite.yaml", yaml.safe_dump({**ABOUT, **about}).encode()),
        SuiteFile("task.yaml", content),
        *(more or [SuiteFile("items.jsonl", lines(ROWS))]),
    ]
    return reading.read(files)


def sentences(found: Reading) -> list[tuple[str, int, str]]:
    assert found.draft is None
    return [(one.file, one.line, one.sentence) for one in found.problems]


def test_a_task_has_its_rows_as_items_and_its_first_metric_as_score() -> None:
    draft = upload(TASK).draft
    assert draft is not None
    assert [item.content for item in draft.items] == [{"row": row} for row in ROWS]
    assert [item.key for item in draft.items] == ["row-1", "row-2"]
    assert (draft.scorer, draft.options["metric"]) == ("lm_eval", "acc")
    assert yaml.safe_load(draft.options["task"]) == TASK


def test_a_zip_of_a_task_and_its_data_needs_no_suite_yaml() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        files = {"test": "data/test.json", "train": "data/shots.jsonl"}
        task = TASK | {
            "task": "World capitals",
            "dataset_kwargs": {"data_files": files},
            "test_split": "test",
            "fewshot_split": "train",
            "num_fewshot": 1,
        }
        archive.writestr("capitals.yaml", yaml.safe_dump(task))
        archive.writestr("data/test.json", json.dumps(ROWS))
        archive.writestr("data/shots.jsonl", lines(ROWS[:1]))
    asked = {"version": "1", "licence": "CC0-1.0"}
    found = reading.read([SuiteFile("capitals.zip", file.getvalue())], asked=asked)
    assert found.draft is not None, sentences(found)
    assert (found.draft.slug, found.draft.name) == ("world-capitals", "World capitals")
    assert found.draft.area == "capability"
    assert (found.draft.kind, len(found.draft.items)) == ("lm-eval", 2)
    assert found.draft.options["fewshot"] == ROWS[:1]


def test_suite_yaml_names_the_file_of_the_task() -> None:
    assert upload(TASK, task="task.yaml").draft is not None
    assert "not in the upload" in sentences(upload(TASK, task="other.yaml"))[0][2]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"include": "base.yaml"}, "Copy its fields"),
        ({"process_docs": "utils.clean"}, "runs a program"),
        ({"class": "x"}, "runs a program"),
        ({"unsafe_code": True}, "runs a program"),
        ({"use_prompt": "prompts.yaml:all"}, "reads other files"),
        ({"dataset_path": "cais/mmlu"}, "cannot load datasets"),
        ({"dataset_path": "./mmlu.py"}, "cannot load datasets"),
        ({"dataset_kwargs": {"trust_remote_code": True}}, "“trust_remote_code” is not allowed"),
        ({"dataset_kwargs": {"data_files": "https://example.org/a.jsonl"}}, "files of the upload"),
        ({"dataset_kwargs": {"data_files": "other.json"}, "n": 1}, "is not a field of a task"),
        ({"metric_list": [{"metric": "acc", "hf_evaluate": True}]}, "from the network"),
        ({"metric_list": [{"metric": "./mine.py"}]}, "“./mine.py” is not allowed"),
        ({"metric_list": [{"metric": "f1"}]}, "gives each item a number"),
        ({"filter_list": [{"name": "a", "filter": [{"function": "custom"}]}]}, "“custom”"),
        ({"generation_kwargs": {"custom_generate": "hub/code"}}, "“custom_generate”"),
        ({"fewshot_config": {"process_docs": "f"}}, "“process_docs”"),
        ({"output_type": "loglikelihood_rolling"}, "must be one of"),
        ({"doc_to_text": None}, "`doc_to_text` is missing"),
        ({"task": ["arc_easy", "mmlu"]}, "the name of one task"),
        ({"num_fewshot": 1000}, "from 0 to 100"),
        ({"num_fewshot": 1, "fewshot_split": "train"}, "split “train”"),
    ],
)
def test_a_task_that_could_run_or_read_anything_else_is_refused(
    change: dict[str, Any], word: str
) -> None:
    found = sentences(upload(TASK | change))
    assert any(word in sentence for _file, _line, sentence in found), found


@pytest.mark.parametrize(
    "line",
    [
        b"process_docs: !function utils.clean\n",
        b"doc_to_text: !function evil.run\n",
        b"metadata: !!python/object/apply:os.system [ls]\n",
    ],
)
def test_a_tag_is_refused_with_its_line(line: bytes) -> None:
    rest = {name: value for name, value in TASK.items() if name != "doc_to_text"}
    content = yaml.safe_dump(rest, sort_keys=False).encode()
    found = sentences(upload(content + line))
    assert [(file, at) for file, at, said in found if "!function" in said] == [
        ("task.yaml", content.count(b"\n") + 1)
    ]


def test_a_program_or_unused_data_beside_the_task_is_refused() -> None:
    items = SuiteFile("items.jsonl", lines(ROWS))
    found = sentences(upload(TASK, items, SuiteFile("utils.py", b"import os")))
    assert "“utils.py” is a program" in found[0][2]
    found = sentences(upload(TASK, items, SuiteFile("more.jsonl", lines(ROWS))))
    assert "must name one file" in found[0][2]
    named = TASK | {"dataset_kwargs": {"data_files": {"test": "items.jsonl"}}}
    found = sentences(upload(named, items, SuiteFile("more.jsonl", lines(ROWS))))
    assert "does not use “more.jsonl”" in found[0][2]


def test_the_suite_chooses_among_the_metrics_of_the_task() -> None:
    draft = upload(TASK, options={"metric": "acc_norm"}).draft
    assert draft is not None
    assert draft.options["metric"] == "acc_norm"
    found = sentences(upload(TASK, options={"metric": "exact_match"}))
    assert "acc, acc_norm" in found[0][2]


def test_the_score_is_the_metric_that_the_suite_names() -> None:
    item = Item(kind="lm-eval", options={"metric": "acc_norm"})
    answer = Answer(values={"metrics": {"acc": 0.0, "acc_norm": 1.0}})
    score = SCORERS["lm_eval"].score
    assert score(item, answer).value == 1.0
    assert score(item, Answer()) is None
    assert score(item, Answer(values={"metrics": {"acc_norm": -4.2}})) is None


FIELD = st.sampled_from([*lm_eval_task.FIELDS])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | FIELD, inner, max_size=3)
    ),
    max_leaves=6,
)


@hypothesis.given(change=st.dictionaries(FIELD, VALUE, max_size=4), noise=st.binary(max_size=40))
@settings(max_examples=80, deadline=None)
def test_no_task_makes_it_raise(change: dict[str, Any], noise: bytes) -> None:
    upload(TASK | change)
    upload(yaml.safe_dump(TASK).encode() + noise)
    lm_eval_task.read(noise.decode("latin-1"), Notes("task.yaml"))
