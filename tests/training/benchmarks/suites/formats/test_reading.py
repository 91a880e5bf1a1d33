"""Uploads of suite.yaml and items.jsonl: every problem by line, and nothing raised."""

import io
import json
import zipfile
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites.drafts import hash_of
from training.benchmarks.suites.formats import items, kinds, public, reading, uploads
from training.benchmarks.suites.formats.reading import Reading
from training.benchmarks.suites.formats.uploads import SuiteFile
from training.models import Suite

pytestmark = pytest.mark.slow

ABOUT: dict[str, Any] = {
    "id": "capitals",
    "version": "1.10",
    "name": "Capitals",
    "kind": "choice",
    "area": "capability",
    "licence": "CC0-1.0",
}
ITEM: dict[str, Any] = {
    "id": "q1",
    "prompt": "Capital of Chad?",
    "choices": ["A", "B"],
    "answer": 1,
}
KINDS_OF_ITEMS: dict[str, dict[str, Any]] = {
    "choice": {"choices": ["A", "B"], "answer": 1},
    "generate": {"wants": "complies", "follow_ups": ["And then?"], "pattern": "^Yes"},
    "pairs": {"better": "N'Djamena.", "worse": "Paris."},
    "best-of-k": {"responses": ["a", "b", "c"], "best": [2, 0]},
    "flip": {"accepts": ["N'Djamena"], "choices": ["N'Djamena", "Paris"]},
}


def yaml_of(**changes: Any) -> bytes:
    return yaml.safe_dump(
        {name: value for name, value in {**ABOUT, **changes}.items() if value is not None},
        sort_keys=False,
    ).encode()


def jsonl_of(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(about: bytes, lines: bytes, **asked: str) -> Reading:
    files = [SuiteFile("suite.yaml", about), SuiteFile("items.jsonl", lines)]
    return reading.read(files, asked=asked)


def said(found: Reading) -> list[tuple[str, int, str]]:
    assert found.draft is None
    return [(one.file, one.line, one.sentence) for one in found.problems]


def test_a_suite_is_read_with_its_items() -> None:
    lines = jsonl_of(ITEM | {"category": "Africa"})
    draft = read(yaml_of(sha256=hash_of(lines)), lines).draft
    assert draft is not None
    assert (draft.slug, draft.version, draft.scorer) == ("capitals", "1.10", "likelihood")
    assert draft.items_hash == hash_of(lines)
    [item] = draft.items
    assert item.prompt == ({"role": "user", "content": "Capital of Chad?"},)
    assert (item.key, item.category) == ("q1", "Africa")
    assert item.content == {"choices": ["A", "B"], "answer": 1}


@pytest.mark.parametrize("kind", list(KINDS_OF_ITEMS))
def test_every_kind_has_its_fields(kind: str) -> None:
    scorer = "refusal" if kind == "generate" else None
    found = read(
        yaml_of(kind=kind, scorer=scorer), jsonl_of({"id": 1, "prompt": "?"} | KINDS_OF_ITEMS[kind])
    )
    assert found.problems == ()
    assert found.draft is not None
    assert found.draft.items[0].content.keys() == KINDS_OF_ITEMS[kind].keys()
    assert found.draft.items[0].key == "1"


def test_an_unquoted_version_keeps_its_zero() -> None:
    about = yaml_of().replace(b"'1.10'", b"1.10")
    draft = read(about, jsonl_of(ITEM)).draft
    assert draft is not None
    assert draft.version == "1.10"


def test_lines_end_at_line_feeds_only() -> None:
    line = json.dumps(ITEM | {"prompt": "one\u2028two"}, ensure_ascii=False).encode()
    draft = read(yaml_of(), line).draft
    assert draft is not None
    assert draft.items[0].prompt[0]["content"] == "one\u2028two"


@pytest.mark.parametrize(
    ("changes", "line", "words"),
    [
        ({"licence": None}, 0, "`licence` is missing"),
        ({"kind": "quiz"}, 4, "`kind` must be one of: choice"),
        ({"area": "sports"}, 5, "`area` must be one of"),
        ({"scorer": "refusal"}, 7, "`scorer` must be one of: likelihood"),
        ({"kind": "generate"}, 0, "`scorer` is missing"),
        ({"colour": "red"}, 7, "`colour` is not a field of a suite"),
        ({"id": "Two Words"}, 1, "lower-case letters"),
        ({"name": "n" * 121}, 3, "longer than 120"),
        ({"sha256": "f" * 64}, 7, "another hash"),
        ({"sha256": "soon"}, 7, "64 hexadecimal digits"),
        ({"options": {"speed": 1}}, 7, "“speed” is not an option of kind “choice”"),
        ({"options": [1]}, 7, "must be a mapping"),
        ({"licence": ["MIT"]}, 6, "`licence` must be text"),
    ],
)
def test_problems_of_the_yaml_are_told_by_line(
    changes: dict[str, Any], line: int, words: str
) -> None:
    found = said(read(yaml_of(**changes), jsonl_of(ITEM)))
    assert found[0][:2] == ("suite.yaml", line)
    assert words in found[0][2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id: \xff", "Not UTF-8"),
        (b"- a\n- b", "must be a list of fields"),
        (b"id: a\nid: b", "appears twice"),
        (b"id: &x [1]\nname: *x", "Aliases"),
        (b"id: [" * 50, "nested too deeply"),
        (b"id: {", "Not YAML"),
        (b'id: "\\UFFFFFFFF"', "Not YAML"),
        (b"#" * (256 * 1024 + 1), "larger than 256 KB"),
    ],
)
def test_yaml_that_cannot_be_read_is_refused(content: bytes, words: str) -> None:
    assert any(words in sentence for _f, _l, sentence in said(read(content, jsonl_of(ITEM))))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "`id` is missing"),
        ({"id": "k" * 201}, "longer than 200"),
        ({"prompt": " "}, "`prompt` is empty"),
        ({"prompt": None}, "`prompt` is missing"),
        ({"prompt": [{"role": "assistant", "content": "Hi"}]}, "prompt"),
        ({"prompt": "\0"}, "invalid character"),
        ({"answer": 2}, "from 0 to 1"),
        ({"answer": True}, "from 0 to 1"),
        ({"answer": "B"}, "from 0 to 1"),
        ({"choices": ["A"]}, "list of 2 to 100"),
        ({"choices": ["A", ""]}, "`choices[1]` is empty"),
        ({"choices": ["A", "A"]}, "same text twice"),
        ({"better": "x"}, "`better` is not a field of items of kind “choice”"),
        ({"category": ["a"]}, "`category` must be text"),
        ({"category": {"a": float("nan")}}, "NaN"),
    ],
)
def test_problems_of_items_are_told_by_line(change: dict[str, Any], words: str) -> None:
    found = said(read(yaml_of(), jsonl_of(ITEM, ITEM | {"id": "q2"} | change)))
    assert found[0][:2] == ("items.jsonl", 2)
    assert any(words in sentence for _f, _l, sentence in found)


@pytest.mark.parametrize(
    ("kind", "scorer", "change", "words"),
    [
        ("generate", "refusal", {"wants": "agrees"}, "complies"),
        ("generate", "refusal", {"wants": ...}, "`wants` is missing"),
        ("generate", "rule", {"pattern": ...}, "no rule"),
        ("generate", "rule", {"pattern": "("}, "not a regular expression"),
        ("generate", "rule", {"number": "five"}, "`number` must be a number"),
        ("generate", "rule", {"number": 10**400}, "`number` must be a number"),
        ("pairs", None, {"worse": "N'Djamena."}, "same text"),
        ("best-of-k", None, {"best": []}, "`best` must list"),
        ("best-of-k", None, {"best": [3]}, "from 0 to 2"),
        ("best-of-k", None, {"best": [0, 1, 2]}, "none is worse"),
        ("flip", None, {"accepts": []}, "list of 1 to 100"),
        ("flip", None, {"choices": ["Oslo", "Paris"]}, "No choice is an accepted answer"),
    ],
)
def test_problems_of_a_kind_are_told(
    kind: str, scorer: str | None, change: dict[str, Any], words: str
) -> None:
    item = {"id": "q", "prompt": "?"} | KINDS_OF_ITEMS[kind] | change
    row = {name: value for name, value in item.items() if value is not ...}
    found = said(read(yaml_of(kind=kind, scorer=scorer), jsonl_of(row)))
    assert any(words in sentence for _f, _l, sentence in found)


def test_every_problem_is_told_and_not_the_first_alone() -> None:
    rows = (ITEM | {"answer": 5, "prompt": ""}, ITEM, ITEM)
    found = read(yaml_of(licence=None), jsonl_of(*rows) + b"nonsense\n[1]\n")
    assert [line for _file, line, _s in said(found)] == [0, 1, 1, 2, 3, 4, 5]
    assert found.problems[3].value == "q1"


def test_a_file_full_of_problems_lists_some_and_counts_the_others() -> None:
    found = read(yaml_of(), jsonl_of(*({"prompt": ""} for _ in range(300))))
    assert (len(found.problems), found.n_more > 300) == (200, True)


def test_a_suite_has_a_most_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "MAX_ITEMS", 1)
    found = said(read(yaml_of(), jsonl_of(ITEM, ITEM | {"id": "q2"})))
    assert "at most 1 items" in found[0][2]


def test_a_suite_without_items_is_refused() -> None:
    assert "no items" in said(read(yaml_of(), b"\n"))[0][2]


def test_the_form_stands_in_for_what_the_file_lacks() -> None:
    draft = read(yaml_of(licence=None), jsonl_of(ITEM), licence="MIT", version="2", name="").draft
    assert draft is not None
    assert (draft.licence, draft.version, draft.name) == ("MIT", "2", "Capitals")


def test_rules_for_all_items_are_options() -> None:
    about = yaml_of(kind="generate", scorer="rule", options={"rules": {"rejects": ["As an AI"]}})
    draft = read(about, jsonl_of({"id": "a", "prompt": "Hi"})).draft
    assert draft is not None
    assert draft.options == {"rules": {"rejects": ["As an AI"]}}
    wrong = yaml_of(kind="generate", scorer="rule", options={"rules": {"pattern": "("}})
    assert any("RE2" in one[2] for one in said(read(wrong, jsonl_of({"id": "a", "prompt": "Hi"}))))


# --- archives and tasks ---------------------------------------------------------------------------


def zip_of(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_zip_holds_both_files_in_a_folder() -> None:
    content = zip_of(
        **{
            "capitals/suite.yaml": yaml_of(),
            "capitals/items.jsonl": jsonl_of(ITEM),
            "__MACOSX/capitals/._items.jsonl": b"\0",
        }
    )
    assert reading.read([SuiteFile("capitals.zip", content)]).draft is not None


def test_a_damaged_zip_is_refused() -> None:
    content = zip_of(**{"suite.yaml": yaml_of()})
    found = said(reading.read([SuiteFile("a.zip", content[:40] + b"x" * 40)]))
    assert "damaged" in found[0][2]


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 1 << 20)
    content = zip_of(**{"items.jsonl": b" " * (2 << 20)})
    (problem,) = said(reading.read([SuiteFile("a.zip", content)]))
    assert problem == ("Upload", 0, "The archive unpacks to more than 1 MB.")


def test_two_suites_at_once_are_refused() -> None:
    files = [SuiteFile("a.jsonl", jsonl_of(ITEM)), SuiteFile("b.jsonl", jsonl_of(ITEM))]
    assert "one file too many" in said(reading.read(files))[0][2]


def test_items_of_no_known_format_need_a_suite_yaml() -> None:
    found = said(reading.read([SuiteFile("items.jsonl", jsonl_of(ITEM))]))
    assert found[0][:2] == ("suite.yaml", 0)
    assert "Add a suite.yaml" in found[0][2]


# --- what holds for any content -------------------------------------------------------------------


def test_areas_kinds_and_scorers_are_those_of_the_product() -> None:
    assert list(kinds.AREAS) == Suite.Area.values
    assert list(kinds.KINDS) == Suite.Kind.values
    assert {kind for scorer in SCORERS.values() for kind in scorer.kinds} <= kinds.KINDS.keys()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["id", "prompt", "category", *(name for one in KINDS_OF_ITEMS.values() for name in one)]
)


@given(content=st.binary(max_size=300), name=st.sampled_from(["a.yaml", "b.jsonl", "c.zip", "d"]))
@settings(max_examples=60, deadline=None)
def test_no_bytes_make_it_raise(content: bytes, name: str) -> None:
    for start in (b"", b"PK\x03\x04", b"PAR1", b"{", b"id: "):
        reading.read([SuiteFile(name, start + content), SuiteFile("items.jsonl", jsonl_of(ITEM))])
        reading.read([SuiteFile("suite.yaml", yaml_of()), SuiteFile(name, start + content)])
        reading.read([SuiteFile(name, start + content)], shape="rewardbench")


@given(kind=st.sampled_from([*kinds.KINDS]), row=st.dictionaries(NAMES | st.text(), VALUES))
@settings(max_examples=60, deadline=None)
def test_no_item_makes_it_raise(kind: str, row: dict[str, Any]) -> None:
    about = yaml_of(kind=kind, scorer="rule" if kind == "generate" else None)
    found = read(about, jsonl_of(row))
    assert (found.draft is None) == bool(found.problems)


@given(about=st.dictionaries(st.sampled_from([*ABOUT, "options", "about", "scorer"]), VALUES))
@settings(max_examples=60, deadline=None)
def test_no_yaml_makes_it_raise(about: dict[str, Any]) -> None:
    content = json.dumps({**ABOUT, **about}).encode()
    found = read(content, jsonl_of(ITEM))
    assert (found.draft is None) == bool(found.problems)


@given(row=st.dictionaries(NAMES | st.text(), VALUES))
@settings(max_examples=60, deadline=None)
def test_no_record_makes_a_public_reader_raise(row: dict[str, Any]) -> None:
    for shape in public.READERS.values():
        record = {**dict.fromkeys(shape.columns, "x"), **row}
        for content in (jsonl_of(record), json.dumps([record, 3]).encode()):
            reading.read([SuiteFile("x.json", content)], asked={"licence": "MIT", "version": "1"})
