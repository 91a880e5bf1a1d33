"""A document, what the rules about one text say of it, and how that is written down. Pure.

Rules about all documents (duplicates, authors) come later: cleaning.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import TypedDict

import numpy as np

from training.snapshots.curation.rules import duplicates
from training.snapshots.curation.rules.contamination import Against, Decontamination
from training.snapshots.curation.rules.duplicates import (
    AuthorCap,
    ExactDuplicates,
    NearDuplicates,
    Records,
)
from training.snapshots.curation.rules.personal_data import Keys, PersonalData, shown
from training.snapshots.curation.rules.recipe import Licences, Recipe, Rule
from training.snapshots.curation.rules.verdicts import Text, Verdict

MOST_SPANS = 200


@dataclass(frozen=True)
class Document:
    text: str
    source: str = ""
    licence: str = ""
    author: str = ""
    created: str = ""
    """ISO 8601; "" if nobody knows"""
    context: str = ""
    """What the text answers. Personal data, keys and test items are looked for here too, and two
    texts are duplicates only if what they answer is the same; other rules leave it alone."""

    @property
    def key(self) -> str:
        """Names the text as it was given. Equal texts have equal keys."""
        whole = f"{self.context}\x1e{self.text}" if self.context else self.text
        return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class JudgedBatch:
    """What the first pass writes of some documents. Offsets in `records` count from the beginning
    of `passed`.
    """

    passed: bytes
    records: Records
    ledger: bytes


@dataclass
class Findings:
    """What the rules about one text left of a document, and what they found."""

    text: Text
    context: Text
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def is_removed(self) -> bool:
        return bool(self.verdicts) and self.verdicts[-1].is_removed


@dataclass(frozen=True)
class Judge:
    """The rules about one text, ready to be applied to many documents."""

    recipe: Recipe
    looked_for: Against

    def batch(self, first_place: int, documents: Iterable[Document]) -> JudgedBatch:
        """`first_place` is the place of the first of them among all documents."""
        passed: list[bytes] = []
        ledger: list[bytes] = []
        records = [np.empty(0, dtype=duplicates.RECORD)]
        place, offset = first_place, 0
        for place, document in enumerate(documents, start=first_place):
            left = self.findings(document)
            ledger += [line_of(entry(place, document, verdict)) for verdict in left.verdicts]
            if left.is_removed:
                continue
            changed = asdict(document) | {"text": left.text.text, "context": left.context.text}
            row = line_of({"document": place, "id": document.key, **changed})
            records.append(_record(place, document, left, offset=offset, near=self.recipe.near))
            passed.append(row)
            offset += len(row)
        return JudgedBatch(b"".join(passed), np.concatenate(records), b"".join(ledger))

    def findings(self, document: Document) -> Findings:
        """What the rules say, in their order, up to the first that removes the document. A restored
        document is not removed, but personal data in it is masked all the same.
        """
        left = Findings(Text(document.text), Text(document.context))
        is_restored = document.key in self.recipe.restored
        for rule in self.recipe.rules:
            for is_context in (False, True) if document.context else (False,):
                part = left.context if is_context else left.text
                verdict = self._verdict(rule, part, document, is_context=is_context)
                if verdict is None or (verdict.is_removed and is_restored):
                    continue
                left.verdicts.append(verdict)
                if verdict.is_removed:
                    return left
                if verdict.text is not None and is_context:
                    left.context = Text(verdict.text)
                elif verdict.text is not None:
                    left.text = Text(verdict.text)
        return left

    def _verdict(
        self, rule: Rule, text: Text, document: Document, *, is_context: bool
    ) -> Verdict | None:
        if isinstance(rule, ExactDuplicates | NearDuplicates | AuthorCap):
            return None
        if isinstance(rule, Decontamination):
            return self.looked_for(text)
        if is_context and not isinstance(rule, Keys | PersonalData):
            return None
        if isinstance(rule, Licences):
            if rule.allows(document.licence):
                return None
            return Verdict(rule.NAME, document.licence or "none", ", ".join(rule.allowed))
        return rule(text)


class LedgerRow(TypedDict):
    """What a rule did to a document: `document` is its place, `spans` where the rule found
    something.
    """

    document: int
    id: str
    outcome: str
    rule: str
    value: object
    threshold: object
    twin: str
    twin_excerpt: str
    spans: list[list[int | str]]
    source: str
    excerpt: str


def entry(place: int, document: Document, verdict: Verdict) -> LedgerRow:
    """A row of the ledger. Its excerpt and spans say nothing personal."""
    return {
        "document": place,
        "id": document.key,
        "outcome": "removed" if verdict.is_removed else "changed",
        "rule": verdict.rule,
        "value": verdict.value,
        "threshold": verdict.threshold,
        "twin": verdict.twin,
        "twin_excerpt": "",
        "spans": [[span.start, span.end, span.kind] for span in verdict.spans[:MOST_SPANS]],
        "source": shown(document.source),
        "excerpt": shown(document.text, around=verdict.spans[0].start if verdict.spans else 0),
    }


def line_of(row: Mapping[str, object]) -> bytes:
    return json.dumps(row, ensure_ascii=True, sort_keys=True).encode() + b"\n"


def document_of(row: Mapping[str, str]) -> Document:
    return Document(**{name: row.get(name, "") for name in Document.__dataclass_fields__})


def documents_in(lines: Iterable[bytes]) -> Iterator[Document]:
    return (document_of(json.loads(line)) for line in lines)


def _record(
    place: int, document: Document, left: Findings, *, offset: int, near: NearDuplicates | None
) -> Records:
    text, context = left.text.text, left.context.text
    return duplicates.record(
        left.text,
        context=left.context,
        near=near,
        document=place,
        offset=offset,
        is_changed=(text, context) != (document.text, document.context),
        licence=document.licence,
        author=document.author,
        created=document.created,
    )
