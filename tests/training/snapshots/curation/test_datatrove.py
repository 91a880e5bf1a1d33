"""The quality rules decide as datatrove's filters do, on 1,000 documents. Skipped without
datatrove, which the site does not need.

Both get the same words from us: datatrove's own come from spaCy, and where a sentence is cut is not
what is compared here.
"""

import random
from collections import Counter
from typing import Any

import pytest

from training.snapshots.curation.rules.quality import C4Quality, FineWebQuality, GopherQuality
from training.snapshots.curation.rules.repetition import Repetition
from training.snapshots.curation.rules.verdicts import Text

datatrove_data = pytest.importorskip("datatrove.data")
c4 = pytest.importorskip("datatrove.pipeline.filters.c4_filters")
fineweb = pytest.importorskip("datatrove.pipeline.filters.fineweb_quality_filter")
gopher = pytest.importorskip("datatrove.pipeline.filters.gopher_quality_filter")
repetition = pytest.importorskip("datatrove.pipeline.filters.gopher_repetition_filter")

_WORDS = (
    "the be to of and that have with river stone lamp letter winter bridge a I extraordinarily"
    " electroencephalographically 12 3.5 # ... … - { } lorem ipsum javascript €"
)
WORDS = _WORDS.split()
ENDS = (". ", ". ", "! ", "\n", ".\n", "...\n", "\n\n", ".\n- ", ".\n• ", ' said "so". ')


def documents() -> list[str]:
    """Of every kind of badness, around every threshold."""
    rng = random.Random(17)
    made = []
    for _ in range(1_000):
        words = rng.sample(WORDS, rng.randint(3, len(WORDS)))
        ends = rng.sample(ENDS, rng.randint(1, 4))
        parts = [
            " ".join(rng.choice(words) for _ in range(rng.randint(2, 14))) + rng.choice(ends)
            for _ in range(rng.randint(2, 25))
        ]
        again = rng.choice((0, 0, 1, 3))
        made.append("".join(parts + parts[:3] * again).strip())
    return made


@pytest.mark.parametrize(
    ("rule", "module", "name"),
    [
        (GopherQuality(), gopher, "GopherQualityFilter"),
        (FineWebQuality(), fineweb, "FineWebQualityFilter"),
        (Repetition(), repetition, "GopherRepetitionFilter"),
        (C4Quality(), c4, "C4QualityFilter"),
    ],
)
def test_a_rule_decides_as_datatroves_filter(
    rule: GopherQuality, module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for splitter in ("split_into_words", "split_into_sentences"):
        if hasattr(module, splitter):
            is_words = splitter == "split_into_words"
            monkeypatch.setattr(module, splitter, _words if is_words else _sentences)
    theirs = getattr(module, name)()
    decided = Counter[tuple[bool, bool]]()
    for number, text in enumerate(documents()):
        answer = theirs.filter(datatrove_data.Document(text=text, id=str(number)))
        decided[(answer is True), rule(Text(text)) is None] += 1

    assert decided[True, True]
    assert decided[False, False]
    assert not decided[True, False]
    assert not decided[False, True]


def _words(text: str, _language: str) -> list[str]:
    return Text(text).tokens


def _sentences(text: str, _language: str) -> list[str]:
    return [part for part in text.replace("! ", ". ").split(". ") if part.strip()] or [text]
