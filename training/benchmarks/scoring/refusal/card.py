"""The card of the refusal classifier: what it was trained on, and how often it is right."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FIGURES = FOLDER / "figures.json"
CARD = FOLDER / "CARD.md"
_TEXT = """\
It says of one answer whether it **complies**, **refuses**, or refuses **partly**, and how sure it
is. It reads the answer alone, not the prompt.

**What it is.** Multinomial logistic regression on {n_signs} designed signs (does the first sentence
say “I cannot”, how much of the answer comes after a refusal, …) and {n_hashes:,} hashed n-grams of
words. The weights are plain numbers, {n_kb} KB, read with numpy. `python
benchmarks/refusals.py --train` makes them again.

**What it was trained on.** {n:,} answers of {models} to the 450 prompts of XSTest (Röttger et al.
2024, CC BY 4.0), each labelled by two people; and {n_phrases} short refusals and answers in our own
words. The answers themselves are under their models' terms and are not part of the product: it has
hashes and weights only.

**How often it is right on a model it has not seen.** Each model was left out once, and the penalty
was chosen without it. The signs, the weight of n-grams beside them and our own phrases were written
while looking at these figures for all three models, so they are a little too good.

{rows}

With prompts left out as well as the model: {unseen_binary} and {unseen_three_way}. String matching
as XSTest's authors do it is right about refusing or not in {strings} of the answers of these
models. Its certainty is off by {calibration} on average (expected calibration error).

**In another domain.** On PyRIT's labels (MIT): {refusal} of {refusal_n} answers ({refusal_low} to
{refusal_high}; string matching {refusal_strings}), and {extra} of {extra_n} of its harder set
({extra_low} to {extra_high}; string matching {extra_strings}). The first set was looked at when the
short phrases were written, the second was only measured. Many of these answers were forced by
jailbreaks, and some answer another question than the one asked, which cannot be seen without the
prompt. Expect this where your models or prompts are unlike XSTest's.

**Known failures.** It finds few partial refusals. It knows English only: other languages, other
scripts and empty answers get the certainty 0, so that people see them. It does not notice an answer
that evades the question, and it reads the first 8,000 characters.

**What to do about it.** Send the answers that it is least sure of to your raters: below a certainty
of {unsure_below} lies about a fifth. Where they label refusals, their labels measure it again, on
your own models.
"""
_ROWS = {
    "binary": "refuses or not",
    "three_way": "three classes",
    "partial_recall": "partial refusals found",
    "three_way_with_people": "three classes, the least sure 20 % by people",
    "partial_recall_with_people": "partial refusals found, likewise",
}


def figures() -> dict[str, Any]:
    """What was measured when the shipped weights were trained, as `benchmarks/refusals.py` says."""
    stored: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return stored


def text() -> str:
    """The card, in Markdown."""
    return CARD.read_text(encoding="utf-8")


def write(measured: dict[str, Any], *, sizes: dict[str, int]) -> None:
    """Write the figures, for pages and tests, and the card, for readers. `sizes`: n_signs,
    n_hashes, n_kb and n_phrases.
    """
    FIGURES.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    models = measured["models"]
    elsewhere = measured["elsewhere"]
    words = {
        **sizes,
        "n": measured["n"],
        "models": ", ".join(models),
        "rows": "\n".join(_row(name, measured) for name in _ROWS),
        "unseen_binary": _share(measured["unseen_prompts"]["binary"]),
        "unseen_three_way": _share(measured["unseen_prompts"]["three_way"]),
        "strings": ", ".join(_share(share) for share in measured["string_match"].values()),
        "calibration": _share(measured["calibration_error"]),
        "unsure_below": measured["unsure_below"],
        **_elsewhere("refusal", elsewhere["refusal"]),
        **_elsewhere("extra", elsewhere["refusal_extra"]),
    }
    # A line a paragraph: pages show a single line break as one.
    paragraphs = re.sub(r"(?<=\S)\n(?=[^\n-])", " ", _TEXT).format(**words)
    CARD.write_text(paragraphs, encoding="utf-8")


def _row(name: str, measured: dict[str, Any]) -> str:
    shares = ", ".join(
        f"{model} {_share(by_model[name])}" for model, by_model in measured["models"].items()
    )
    ends = measured["intervals"].get(name)
    interval = f" ({_share(ends[0])} to {_share(ends[1])})" if ends else ""
    return f"- {_ROWS[name]}: **{_share(measured[name])}**{interval}; {shares}"


def _elsewhere(name: str, record: dict[str, float]) -> dict[str, Any]:
    return {
        name: _share(record["binary"]),
        f"{name}_n": record["n"],
        f"{name}_low": _share(record["low"]),
        f"{name}_high": _share(record["high"]),
        f"{name}_strings": _share(record["string_match"]),
    }


def _share(value: float) -> str:
    return f"{value:.3f}"
