"""The dataset card of an export: README.md with the front matter that a hub reads. In English, as
hubs expect. Pure: facts in, Markdown out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import yaml

from arithmetic.figures import Figure
from labeling.data.exports.columns import FIELDS, TOOLS, Record
from labeling.data.exports.facts import Agreement, PoolFacts, Recruitment

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_ISO = re.compile(r"[a-z]{2,3}")
HUB_LICENCES = {
    *("apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "odc-by", "odbl", "gpl-3.0", "openrail"),
    *("cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-sa-4.0"),
    *("cc-by-3.0", "cc-by-sa-3.0", "cc-by-nc-3.0", "cc-by-nc-nd-4.0"),
}
"""SPDX identifiers, in lower case, that hubs know."""
_TAGS = {
    "preferences": ["preference", "dpo", "reward-modeling"],
    "implicit": ["preference", "dpo", "reward-modeling"],
    "unpaired": ["preference", "kto"],
    "stepwise": ["process-supervision"],
    "rankings": ["preference", "ranking"],
    "demonstrations": ["sft"],
    "dialogues": ["sft"],
}


@dataclass
class RowTally:
    """Counts the rows of an export while they are written."""

    splits: Counter[str] = field(default_factory=Counter)
    prompt_licences: Counter[str] = field(default_factory=Counter)
    text_licences: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    guidelines: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    raters: set[str] = field(default_factory=set)
    prompts: set[int] = field(default_factory=set)
    campaigns: set[int] = field(default_factory=set)
    has_tools: bool = False

    @property
    def n_rows(self) -> int:
        return self.splits.total()

    def add(self, row: Record) -> None:
        self.splits[row["split"]] += 1
        self.has_tools = self.has_tools or TOOLS in row
        self.prompts.add(row["prompt_id"])
        self.prompt_licences[row["prompt_licence"]] += 1
        self.languages[row["language"]] += 1
        self.categories[row["category"]] += 1
        self.sources[row["prompt_source"]] += 1
        if row.get("guideline"):
            self.guidelines[row["guideline"]] += 1
        if row.get("rater"):
            self.raters.add(row["rater"])
        if row.get("campaign"):
            self.campaigns.add(row["campaign"])
        self.text_licences.update(_text_licences(row))


def _text_licences(row: Record) -> list[str]:
    names = ("response_licence", "chosen_licence", "rejected_licence", "licence_a", "licence_b")
    return [
        *(row[name] or "" for name in names if name in row),
        *(response["licence"] for response in row.get("responses", ())),
    ]


@dataclass(frozen=True)
class CardFacts:
    name: str
    about: str
    """what a row is, in a sentence"""
    shape: str
    style: str
    columns: Sequence[str]
    files: Mapping[str, str]
    """split → its file; "" → the only file, which has no splits"""
    tally: RowTally
    left_out: Mapping[str, int]
    options: Sequence[str]
    """what was chosen to be exported, in sentences"""
    recruitment: Recruitment
    pools: Sequence[PoolFacts]
    agreement: Sequence[Agreement]
    contact: str
    at: datetime
    notes: str = ""
    """how another tool reads the file"""


def card(facts: CardFacts) -> str:
    parts = [
        _front(facts),
        f"# {facts.name}",
        facts.about,
        _numbers(facts),
        *_section("Reading it", facts.notes),
        *_section("Splits", _table(("Split", "Rows"), facts.tally.splits.items())),
        *_section("Fields", _fields(facts.columns)),
        *_section("Licences", _licences(facts.tally)),
        *_section("Languages", _counts("Language", facts.tally.languages, "unknown")),
        *_section("Sources of the prompts", _counts("Source", facts.tally.sources, "unknown")),
        *_section("Agreement", _agreement(facts.agreement)),
        *_section("Raters", _raters(facts)),
        *_section("Guidelines", _counts("Version", facts.tally.guidelines, "unknown")),
        *_section("Left out", _left_out(facts)),
        *_section("Withdrawal", _withdrawal(facts)),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", text] if text else []


def _front(facts: CardFacts) -> str:
    about: dict[str, object] = {
        "pretty_name": facts.name,
        "license": _hub_licence(facts.tally),
        "language": sorted(name for name in facts.tally.languages if _ISO.fullmatch(name)),
        "size_categories": [_size(facts.tally.n_rows)],
        "task_categories": ["text-generation"],
        "tags": ["human-feedback", *_TAGS.get(facts.shape, [])],
    }
    if "" not in facts.files:
        files = [{"split": split, "path": path} for split, path in facts.files.items()]
        about["configs"] = [{"config_name": "default", "data_files": files}]
    shown = {name: value for name, value in about.items() if value}
    return f"---\n{yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)}---"


def _hub_licence(tally: RowTally) -> str:
    """One that a hub knows, if all texts are under it; else `other`, and the table has them all."""
    named = {*tally.prompt_licences, *(tally.text_licences.keys() - {""})}
    licence = next(iter(named)).lower() if len(named) == 1 else ""
    return licence if licence in HUB_LICENCES else "other" if named - {""} else "unknown"


def _size(n: int) -> str:
    return next((name for most, name in _SIZES if n < most), "n>10M")


def _numbers(facts: CardFacts) -> str:
    tally = facts.tally
    by = f" by {_n(len(tally.raters), 'rater')}" if tally.raters else ""
    rows = f"{_n(tally.n_rows, 'row')} about {_n(len(tally.prompts), 'prompt')}{by}."
    chosen = " ".join(facts.options)
    return f"{rows} Exported on {facts.at:%Y-%m-%d} by Preferably. {chosen}".rstrip()


def _n(n: int, name: str) -> str:
    return f"{n:,} {name}" if n == 1 else f"{n:,} {name}s"


def _fields(columns: Sequence[str]) -> str:
    return _table(("Field", "Meaning"), ((f"`{name}`", FIELDS[name]) for name in columns))


def _licences(tally: RowTally) -> str:
    rows = [
        ("prompts", name or "not stated", n) for name, n in tally.prompt_licences.most_common()
    ] + [
        ("responses", name or "written on the site: as its prompt", n)
        for name, n in tally.text_licences.most_common()
    ]
    return _table(("Texts", "Licence", "Texts in all rows"), rows)


def _counts(title: str, counts: Counter[str], empty: str) -> str:
    rows = [(name or empty, n) for name, n in counts.most_common()]
    return _table((title, "Rows"), rows) if rows else ""


def _agreement(agreements: Sequence[Agreement]) -> str:
    if not agreements:
        return "Not measured: no report exists, or only one rater judged each item."
    rows = [
        (
            agreement.campaign,
            _figure(agreement.raw),
            _figure(agreement.alpha),
            f"{agreement.computed_at:%Y-%m-%d}",
        )
        for agreement in agreements
    ]
    heading = ("Campaign", "Pairs with the same verdict", "Krippendorff's α (ordinal)", "As of")
    return _table(heading, rows) + (
        "\n\nWith 95 % intervals. A tie against a winner counts as half."
    )


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return "not enough data"
    interval = (
        f" ({figure.low:.2f} to {figure.high:.2f})"
        if figure.low is not None and figure.high is not None
        else ""
    )
    return f"{figure.value:.2f}{interval}"


def _raters(facts: CardFacts) -> str:
    came = facts.recruitment
    links = f" ({', '.join(came.crowd_links)})" if came.crowd_links else ""
    groups = [
        (came.n_invited, "invited by e-mail"),
        (came.n_crowd, f"through a crowd platform{links}"),
        (came.n_imported, "in imported data, recruited by its authors"),
        (came.n_others, "with an account made by an admin"),
    ]
    lines = [f"- {n:,} {how}" for n, how in groups if n]
    for pool in facts.pools:
        held_out = " Used for evaluation only." if pool.is_held_out else ""
        paid = f" Paid {'; '.join(pool.rates)}." if pool.rates else " No rate of pay is recorded."
        lines.append(
            f"- Pool “{_line(pool.name)}”: {_line(pool.description) or '–'}{held_out}{paid}"
        )
    return "\n".join(lines)


def _left_out(facts: CardFacts) -> str:
    if not facts.left_out:
        return "Nothing that this shape cannot hold."
    return _table(("What", "Number"), sorted(facts.left_out.items()))


def _withdrawal(facts: CardFacts) -> str:
    """What people must do who use a copy."""
    contact = f" Contact: {facts.contact}." if facts.contact else ""
    return (
        "Raters can withdraw at any time, and their answers are then in no new export. Whoever"
        " keeps a copy removes the rows of a `rater` who has withdrawn; the site's feed of"
        f" events names them.{contact}"
    )


def _table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [
        "| " + " | ".join(heading) + " |",
        "|" + "---|" * len(heading),
        *("| " + " | ".join(_line(str(cell)) for cell in row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def _line(text: str) -> str:
    """One line that breaks no table."""
    return " ".join(text.split()).replace("|", "\\|")
