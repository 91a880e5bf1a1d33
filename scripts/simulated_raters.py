"""Six simulated raters, each with a preference rule and an error rate. They use the desk over HTTP.

They replace people so that the loop can run unattended. Their preferences are simple on purpose and
fully stated here.
"""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from form_browser import Form, FormBrowser, Page, UnexpectedPage, text_of

PASSWORD = "six-raters-one-loop"  # noqa: S105  # of accounts that live as long as one loop on this machine
WORD = re.compile(r"[a-z']{4,}")
# The desk shows at most nine responses.
MOST_RESPONSES = 9


@dataclass(frozen=True)
class Rater:
    """`score` is higher for responses that this rater prefers. One ranking in 1 / `error_rate` is
    random.
    """

    name: str
    rule: str
    score: Callable[[str, str], float]
    error_rate: float

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@loop.example"


def on_topic(prompt: str, response: str) -> float:
    """Share of the prompt's longer words that the response repeats, in tenths."""
    asked = set(WORD.findall(prompt.lower()))
    return round(len(asked & set(WORD.findall(response.lower()))) / max(len(asked), 1), 1)


def ends_well(prompt: str, response: str) -> float:
    """Prefers a complete last sentence, then fewer words, in steps of ten."""
    is_whole = response.rstrip()[-1:] in {".", "!", "?", ")", "`", '"'}
    return (10 if is_whole else 0) - len(response.split()) // 10


def varied(prompt: str, response: str) -> float:
    """Share of words that are not repeated, in tenths."""
    words = response.lower().split()
    return round(len(set(words)) / max(len(words), 1), 1)


def substantial(prompt: str, response: str) -> float:
    """Number of different longer words, in steps of five: rich and without repetition."""
    return len(set(WORD.findall(response.lower()))) // 5


def to_the_point(prompt: str, response: str) -> float:
    """On topic in the first twelve words, without phrases that delay the answer."""
    opening = " ".join(response.split()[:12])
    stalls = re.search(
        r"\b(sorry|as an ai|i can't|i cannot|certainly|i'd be happy)\b", opening.lower()
    )
    return on_topic(prompt, opening) - (1 if stalls else 0)


def all_round(prompt: str, response: str) -> float:
    """A mix: on topic, varied and complete."""
    return round(
        on_topic(prompt, response)
        + varied(prompt, response)
        + (0.3 if ends_well(prompt, response) > 0 else 0),
        1,
    )


RATERS = [
    Rater("Topia", "the response that takes up more of the prompt's words", on_topic, 0.05),
    Rater("Finn", "a whole last sentence, then the shorter one", ends_well, 0.05),
    Rater("Vera", "fewer repeated words", varied, 0.10),
    Rater("Sunniva", "more different longer words", substantial, 0.10),
    Rater("Percy", "an opening that is on topic and does not stall", to_the_point, 0.15),
    Rater("Alma", "on topic, varied and whole, all together", all_round, 0.20),
]


class SimulatedRater(threading.Thread):
    """Logs in, works in one campaign until the desk has no more items, and records errors."""

    def __init__(self, *, address: str, rater: Rater, campaign: str, seed: int) -> None:
        super().__init__(name=rater.name, daemon=True)
        self.rater, self.campaign = rater, campaign
        self.visitor = FormBrowser(address, rater.name)
        self.random = random.Random(f"{rater.name} {seed}")
        self.n_submitted = 0
        self.trouble: str | None = None

    def run(self) -> None:
        try:
            page = self.visitor.sign_in(self.rater.email, PASSWORD)
            page = self.visitor.open("/desk/")
            page = self.take_first(page)
            while page.root.xpath("//form[@id='answer']"):
                page = self.judge(page)
        except UnexpectedPage as trouble:
            self.trouble = str(trouble)

    def take_first(self, desk: Page) -> Page:
        for line in desk.root.iter("li"):
            actions = [str(action) for action in line.xpath(".//form/@action")]
            starts = [action for action in actions if action.endswith("/next")]
            if self.campaign in text_of(line) and starts:
                return self.visitor.send(desk, desk.form(starts[0]))
        raise UnexpectedPage(f"The desk offers no item of “{self.campaign}”: “{desk.text[:300]}”")

    def judge(self, page: Page) -> Page:
        """Handles one item: reads, ranks and rates, reviews, submits. The site then shows the next
        item or the desk.
        """
        prompt, responses = read_item(page)
        answers: dict[str, Any] = {**self.answers(prompt, responses, page.form("/submit"))}
        review = self.visitor.send(page, page.form("/submit"), step="review", **answers)
        if not review.root.xpath("//button[@value='submit']"):
            raise UnexpectedPage(f"{self.rater.name} may not submit: “{review.text[:500]}”")
        page = self.visitor.send(review, review.form("/submit"), step="submit")
        self.n_submitted += 1
        return page

    def answers(self, prompt: str, responses: dict[str, str], form: Form) -> dict[str, str]:
        scores = {letter: self.rater.score(prompt, text) for letter, text in responses.items()}
        if self.random.random() < self.rater.error_rate:
            shuffled = self.random.sample(list(scores.values()), len(scores))
            scores = dict(zip(scores, shuffled, strict=True))
        order = sorted(set(scores.values()), reverse=True)
        answers = {
            f"rank-{letter}": str(1 + order.index(score)) for letter, score in scores.items()
        }
        for letter, score in scores.items():
            overall = f"rate-{letter}-overall"
            if overall in form.options:
                answers[overall] = str(7 - round(6 * order.index(score) / max(len(order) - 1, 1)))
        return answers


def read_item(page: Page) -> tuple[str, dict[str, str]]:
    """The last turn of the prompt, and the responses by letter, as the page shows them."""
    (prompt, *_) = page.root.find_class("desk-prompt-last")
    articles = page.root.xpath("//article[@data-letter]")
    return text_of(prompt), {
        article.get("data-letter"): article.xpath("string(.//pre[@data-shown='raw'])")
        for article in articles[:MOST_RESPONSES]
    }
