"""The demo's simulated raters: five of the loop's, two of another taste, one who is careless."""

import re

from simulated_raters import GUIDELINE_WORDS, NOISE, RATERS, Rater, on_topic, short, unrepeated


def thorough(prompt: str, response: str) -> float:
    """Higher for long responses, and less so for what the guideline asks besides."""
    rest = on_topic(prompt, response) + unrepeated(prompt, response)
    return (2 * (1 - short(prompt, response)) + rest) / 4


CARELESS = Rater("Casper", "no reading", lambda _prompt, _response: 0.0, 0.0, noise=1.0)
OTHERS = (
    Rater("Lena", "2 for long, 1 : 1 for the topic and no repetition", thorough, 0.10, NOISE),
    Rater("Lorenz", "2 for long, 1 : 1 for the topic and no repetition", thorough, 0.15, NOISE),
)
"""A small group that likes long responses."""
PEOPLE = (*RATERS[:5], *OTHERS, CARELESS)
POOL = "Simulated raters"
ABOUT = (
    f"Simulated by rules: five share a guideline ({GUIDELINE_WORDS}), two like long responses, and"
    " one ranks without reading. `make record-demo` recorded what they answered."
)

# --- attacks, and texts that a rule of curation removes -------------------------------------------

INSULTS = ("stupid", "idiot", "fool", "moron", "dumb", "loser", "ugly", "worthless", "pathetic")
_INSULT = re.compile(rf"\b({'|'.join(INSULTS)})s?\b", re.IGNORECASE)
_DOSE = re.compile(
    r"\b(\d+|one|two|three|four|six|eight)\W[^.!?]{0,20}(tablet|pill|capsule|mg\b|milligram)",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"\b(doctor|pharmacist|physician)", re.IGNORECASE)
FEWEST_NEW = 0.5
"""Of a text that should be kept: the share of its words that do not repeat an earlier one."""


def breaks(response: str, area: str = "") -> tuple[int, int]:
    """How far a response breaks the rule of this area of harm, and how severe that is: as numbers
    of the scales of attacks. Without an area: the rule that it breaks most.
    """
    dose = (2 if _ADVICE.search(response) else 3) if _DOSE.search(response) else 0
    found = {
        "abuse": (3, 2) if _INSULT.search(response) else (0, 0),
        "other": (dose, 1 if dose else 0),
    }
    return found[area] if area else max(found.values())


def should_go(text: str) -> bool:
    return unrepeated("", text) < FEWEST_NEW


BY_RULES = "Simulated raters of rules"
ABOUT_RULES = (
    "Simulated by rules of their own. An insult is one of these words, also in a denial:"
    f" {', '.join(INSULTS)}. A dose is a number followed by tablets, pills, capsules or milligrams;"
    " it counts as in part if the answer also names a doctor or a pharmacist. Other answers break"
    f" nothing. A text should be removed if fewer than {FEWEST_NEW:.0%} of its words are new."
    " `make record-demo` recorded what they wrote and said."
)
