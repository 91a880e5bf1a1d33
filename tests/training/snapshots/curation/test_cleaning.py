"""Recipes over many documents: the ledger, the account, twins, and going on after a kill."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from training.snapshots.curation.rules import child, cleaning, recipe
from training.snapshots.curation.rules.cleaning import Account
from training.snapshots.curation.rules.contamination import Decontamination, Item
from training.snapshots.curation.rules.documents import Document
from training.snapshots.curation.rules.duplicates import (
    AuthorCap,
    ExactDuplicates,
    NearDuplicates,
    licence_rank,
)
from training.snapshots.curation.rules.personal_data import Keys, PersonalData
from training.snapshots.curation.rules.phrases import Boilerplate
from training.snapshots.curation.rules.quality import Length
from training.snapshots.curation.rules.recipe import PRESETS, Licences, Recipe, UnableToRead

_WORDS = (
    "river stone lamp garden letter winter bridge cloud engine paper island forest mirror ladder"
    " pepper copper ribbon castle basket hammer"
)
WORDS = _WORDS.split()
ROOT = Path(__file__).resolve().parents[4]


def text_of(seed: int, n: int = 80) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(n)) + "."


def cleaned(
    folder: Path, documents: Iterable[Document], *rules: recipe.Rule, items: Iterable[Item] = ()
) -> tuple[Account, list[str], list[dict[str, Any]]]:
    account = cleaning.clean(documents, recipe=Recipe("r", rules), folder=folder, items=items)
    kept = [document.text for _id, document in cleaning.kept(folder)]
    ledger = [json.loads(line) for line in (folder / cleaning.LEDGER).read_text().splitlines()]
    return account, kept, ledger


def test_what_was_read_was_kept_changed_or_removed(tmp_path: Path) -> None:
    documents = [
        Document(text_of(1)),
        Document("Short."),
        Document(text_of(2) + " Write to anna.k@posteo.net."),
        Document(text_of(1).upper()),
    ]

    account, kept, ledger = cleaned(
        tmp_path, documents, Length(20), PersonalData(), ExactDuplicates()
    )

    assert (account.read, account.kept, account.changed, account.removed) == (4, 1, 1, 2)
    assert kept == [text_of(1), text_of(2) + " Write to <EMAIL>."]
    assert [(row["document"], row["rule"], row["outcome"]) for row in ledger] == [
        (1, "length.min", "removed"),
        (2, "personal_data", "changed"),
        (3, "exact_duplicate", "removed"),
    ]
    assert ledger[2]["twin"] == documents[0].key
    assert account.rules["exact_duplicate"] == {"removed": 1}


def test_a_document_that_was_changed_and_then_removed_counts_once(tmp_path: Path) -> None:
    text = text_of(3) + " Write to anna.k@posteo.net."

    account, _kept, ledger = cleaned(
        tmp_path, [Document(text), Document(text)], PersonalData(), ExactDuplicates()
    )

    assert (account.read, account.kept, account.changed, account.removed) == (2, 0, 1, 1)
    assert [row["rule"] for row in ledger] == ["personal_data", "personal_data", "exact_duplicate"]


def test_neither_ledger_nor_result_holds_personal_data(tmp_path: Path) -> None:
    secrets = ["anna.k@posteo.net", "4111 1111 1111 1111", "AKIAABCDEFGHIJKLMNOP"]
    documents = [Document(f"{secret} {text_of(n)}") for n, secret in enumerate(secrets)]
    documents += [Document(f"{secret} short", source=secret) for secret in secrets]

    cleaned(tmp_path, documents, Length(60), Keys(), PersonalData(), NearDuplicates())

    written = "".join(
        (tmp_path / name).read_text() for name in (cleaning.KEPT, cleaning.LEDGER, cleaning.ACCOUNT)
    )
    assert not [secret for secret in secrets if secret in written]


def test_of_near_duplicates_the_longest_stays_and_is_named(tmp_path: Path) -> None:
    words = text_of(4, 120).split()
    longer = " ".join([*words[:60], "and", "more", *words[60:]])
    documents = [Document(" ".join(words)), Document(longer), Document(text_of(5, 120))]

    _account, kept, ledger = cleaned(tmp_path, documents, NearDuplicates())

    assert kept == [longer, text_of(5, 120)]
    assert [(row["document"], row["twin"]) for row in ledger] == [(0, documents[1].key)]
    assert 0.8 <= ledger[0]["value"] < 1


@pytest.mark.parametrize(("keeps", "stays"), [("longest", 2), ("oldest", 1), ("best_licence", 0)])
def test_which_of_two_copies_stays_can_be_chosen(tmp_path: Path, keeps: str, stays: int) -> None:
    text = text_of(6)
    documents = [
        Document(text, licence="CC0-1.0", created="2024-05-01"),
        Document(text + " ", licence="CC-BY-SA-4.0", created="2021-01-01"),
        Document(text + "  !!", licence="", created="2023-01-01"),
    ]

    _account, kept, ledger = cleaned(tmp_path, documents, ExactDuplicates(keeps))

    assert kept == [documents[stays].text]
    assert {row["twin"] for row in ledger} == {documents[stays].key}


def test_likeness_makes_no_chains(tmp_path: Path) -> None:
    """B is near A and C is near B, but C is not near A: C stays."""
    a = text_of(7, 200).split()
    b = [*a[:180], *text_of(8, 20).split()]
    c = [*text_of(9, 20).split(), *b[20:]]

    _account, kept, ledger = cleaned(
        tmp_path, [Document(" ".join(words)) for words in (a, b, c)], NearDuplicates(keeps="oldest")
    )

    assert [row["document"] for row in ledger] == [1]
    assert len(kept) == 2


def test_no_author_has_more_than_the_cap(tmp_path: Path) -> None:
    documents = [Document(text_of(n), author="a" if n < 5 else "") for n in range(8)]

    account, kept, _ledger = cleaned(tmp_path, documents, AuthorCap(2))

    assert kept == [text_of(n) for n in (0, 1, 5, 6, 7)]
    assert account.rules == {"author_cap": {"removed": 3}}


def test_only_allowed_licences_stay(tmp_path: Path) -> None:
    documents = [Document("a", licence="CC-BY-4.0"), Document("b", licence="CC-BY-NC-4.0")]

    _account, kept, ledger = cleaned(tmp_path, documents, Licences(("cc-by-4.0",)))

    assert kept == ["a"]
    assert ledger[0]["value"] == "CC-BY-NC-4.0"


def test_a_restored_document_stays_and_changes_the_fingerprint(tmp_path: Path) -> None:
    document = Document("Short.")
    rules = (Length(20), ExactDuplicates())
    restored = Recipe("r", rules, (document.key,))

    account = cleaning.clean([document, document], recipe=restored, folder=tmp_path)

    assert (account.kept, account.removed) == (2, 0)
    assert restored.fingerprint() != Recipe("r", rules).fingerprint()


class Killed(Exception):
    pass


def killed_at(n: int) -> Callable[[int], None]:
    def beat(n_read: int) -> None:
        if n_read >= n:
            raise Killed

    return beat


def test_killed_and_resumed_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "BATCH", 7)
    documents = [Document(text_of(n % 40) + " a@posteo.net" * (n % 3)) for n in range(60)]
    rules = (Length(20), PersonalData(), ExactDuplicates(), NearDuplicates())
    whole = cleaned(tmp_path / "whole", documents, *rules)
    folder = tmp_path / "broken"
    for n in (7, 28, 49):
        with pytest.raises(Killed):
            cleaning.clean(documents, recipe=Recipe("r", rules), folder=folder, beat=killed_at(n))
        # What was being written when the process died.
        with (folder / "passed.jsonl").open("a") as file:
            file.write('{"torn')

    assert cleaned(folder, documents, *rules) == whole
    for name in (cleaning.KEPT, cleaning.LEDGER, cleaning.ACCOUNT):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_several_processes_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "BATCH", 7)
    documents = [Document(text_of(n % 40) + " a@posteo.net" * (n % 3)) for n in range(60)]
    rules = (Length(20), PersonalData(), Decontamination(), ExactDuplicates(), NearDuplicates())
    items = [Item("suite/1", text_of(5, 20))]
    whole = cleaned(tmp_path / "whole", documents, *rules, items=items)
    folder = tmp_path / "several"
    with pytest.raises(Killed):
        cleaning.clean(
            documents,
            recipe=Recipe("r", rules),
            folder=folder,
            items=items,
            n_processes=2,
            beat=killed_at(21),
        )

    cleaning.clean(documents, recipe=Recipe("r", rules), folder=folder, items=items, n_processes=2)

    assert whole[0].removed > 20
    for name in (cleaning.KEPT, cleaning.LEDGER, cleaning.ACCOUNT):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_child_cleans_a_prepared_folder(tmp_path: Path) -> None:
    documents = [Document(text_of(1)), Document("Short."), Document(text_of(1).upper())]
    given = Recipe("r", (Length(20), Decontamination(), ExactDuplicates()))
    whole = cleaned(tmp_path / "whole", documents, *given.rules)
    folder = tmp_path / "child"
    for other in (documents, []):  # What is there already stays.
        child.prepare(folder, documents=other, items=[], recipe=given)

    subprocess.run(
        [sys.executable, "-m", "training.snapshots.curation.rules.child", str(folder)],
        check=True,
        cwd=ROOT,
    )

    assert child.n_read(folder) == whole[0].read == 3
    for name in (cleaning.KEPT, cleaning.LEDGER, cleaning.ACCOUNT):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_what_a_text_answers_is_masked_and_looked_at_but_not_judged(tmp_path: Path) -> None:
    item = text_of(50, 20)
    documents = [
        Document("Yes, of course.", context="Is four even?"),
        Document("Yes, of course.", context="Is five odd?"),
        Document("Yes, of course!", context="Is four even?"),
        Document("As I said.", context="As an AI language model, who is anna.k@posteo.net?"),
        Document("No.", context=item),
    ]
    rules = (Boilerplate(), PersonalData(), Decontamination(), ExactDuplicates())

    account, kept, ledger = cleaned(tmp_path, documents, *rules, items=[Item("suite/1", item)])

    assert (account.kept, account.changed, account.removed) == (2, 1, 2)
    assert kept == ["Yes, of course.", "Yes, of course.", "As I said."]
    assert [(row["document"], row["rule"]) for row in ledger] == [
        (2, "exact_duplicate"),
        (3, "personal_data"),
        (4, "decontamination.verbatim"),
    ]
    contexts = [document.context for _id, document in cleaning.kept(tmp_path)]
    assert contexts[2] == "As an AI language model, who is <EMAIL>?"


def test_short_answers_to_one_long_question_are_not_duplicates(tmp_path: Path) -> None:
    question = text_of(51, 200)
    documents = [Document(f"{n} is the answer to it.", context=question) for n in ("Ten", "Four")]
    documents.append(Document("Ten, is the answer to it!", context=question.upper()))
    longer = "This one is long enough to be compared by its runs of characters, it is."
    documents += [Document(longer, context=question), Document(longer + "!!", context=question)]
    documents += [Document(longer, context=text_of(52))]

    _account, kept, _ledger = cleaned(
        tmp_path,
        documents,
        ExactDuplicates("oldest"),
        NearDuplicates(runs_of="characters", keeps="oldest"),
    )

    assert kept == [documents[0].text, documents[1].text, longer, longer]


def test_personal_data_is_masked_in_a_restored_document_too(tmp_path: Path) -> None:
    document = Document("Short: anna.k@posteo.net")
    given = Recipe("r", (Length(200), PersonalData()), (document.key,))

    account = cleaning.clean([document], recipe=given, folder=tmp_path)

    assert (account.changed, account.removed) == (1, 0)
    assert [one.text for _id, one in cleaning.kept(tmp_path)] == ["Short: <EMAIL>"]


def test_documents_are_read_one_batch_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "BATCH", 10)
    n_made = 0

    def made() -> Iterator[Document]:
        nonlocal n_made
        for n in range(30):
            n_made += 1
            yield Document(text_of(n))

    with pytest.raises(Killed):
        cleaning.clean(
            made(), recipe=Recipe("r", (Length(1),)), folder=tmp_path, beat=killed_at(10)
        )

    assert n_made == 10


def test_another_recipe_does_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    cleaned(tmp_path, [Document("a")], Length(1))

    with pytest.raises(cleaning.StaleFolder):
        cleaned(tmp_path, [Document("a")], Length(2))


def test_the_items_of_a_suite_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    one, other = (
        cleaned(tmp_path / name, [], Decontamination(), items=[Item(name, text_of(n))])[0]
        for n, name in enumerate(("a", "b"))
    )

    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize("kind", PRESETS)
def test_a_recipe_survives_json_with_its_fingerprint(kind: str) -> None:
    preset = PRESETS[kind]

    read = recipe.from_json(json.loads(json.dumps(preset.as_json())))

    assert read == preset
    assert read.fingerprint() == preset.fingerprint()


def test_the_order_of_keys_and_the_name_do_not_change_a_fingerprint() -> None:
    one = recipe.from_json({"name": "a", "rules": [{"rule": "length", "min_characters": 5}]})
    other = recipe.from_json({"rules": [{"min_characters": 5, "rule": "length"}], "name": "b"})
    third = recipe.from_json({"rules": [{"rule": "length", "min_characters": 6}]})

    assert one.fingerprint() == other.fingerprint() != third.fingerprint()


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("x", "list of objects"),
        ([{"rule": "none"}], "There is no rule 'none'"),
        ([{"rule": "length", "least": 3}], "length has no 'least'"),
        ([{"rule": "length", "min_characters": "3"}], "cannot be '3'"),
        ([{"rule": "language", "languages": [1]}], "cannot be"),
        ([{"rule": "repetition", "top_grams": [["2", 0.2]]}], "cannot be"),
        ([{"rule": "author_cap", "most": None}], "cannot be None"),
        ([{"rule": "blocklist", "lists": ["x-9"]}], "no list 'x-9'"),
        ([{"rule": "near_duplicate", "keeps": "best"}], "keeps is one of"),
        ([{"rule": "author_cap"}, {"rule": "length"}], "come last"),
        ([{"rule": "length"}, {"rule": "length"}], "twice"),
    ],
)
def test_a_wrong_recipe_is_refused_with_a_sentence(rules: Any, sentence: str) -> None:
    with pytest.raises(UnableToRead, match=sentence):
        recipe.from_json({"rules": rules})


def test_licences_are_ranked_by_their_longest_known_beginning() -> None:
    ranks = [
        licence_rank(name) for name in ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC BY NC 4.0", "")
    ]

    assert ranks == sorted(set(ranks))
