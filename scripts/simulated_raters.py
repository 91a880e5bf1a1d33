"""Six simulated raters. They use the desk over HTTP.

They replace people so that the loop can run unattended. Like a trained pool they share a guideline,
and differ in how they weigh its parts and in how often they err. The guideline is simple on purpose
and fully stated here.
"""

import random
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from form_browser import Form, FormBrowser, Page, UnexpectedPage, text_of

PASSWORD = "six-raters-one-loop"  # noqa: S105  # of accounts that live as long as one loop on this machine
WORD = re.compile(r"[a-z']{4,}")
# The desk shows at most nine responses.
MOST_RESPONSES = 9
# How far a score from 0 to 1 is misread, so that two raters agree on about seven pairs in ten, and
# to how many digits it is told apart.
NOISE, DIGITS = 0.05, 2
# In words: a sentence has at least so many, and a response is long beyond so many.
FEWEST_WORDS, LONG = 4, 25


@dataclass(frozen=True)
class Rater:
    """`score` is higher for responses that this rater prefers. One ranking in 1 / `error_rate` is
    random; in the others each score is misread by `noise` (standard deviation).
    """

    name: str
    rule: str
    score: Callable[[str, str], float]
    error_rate: float
    noise: float = 0.0

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@loop.example"


# --- what the guideline asks for ------------------------------------------------------------------


def on_topic(prompt: str, response: str) -> float:
    """Share of the prompt's longer words that the response repeats."""
    asked = set(WORD.findall(prompt.lower()))
    return len(asked & set(WORD.findall(response.lower()))) / max(len(asked), 1)


def unrepeated(prompt: str, response: str) -> float:
    """Share of the response's words that are not repeated."""
    words = response.lower().split()
    return len(set(words)) / max(len(words), 1)


def whole(prompt: str, response: str) -> float:
    """1 for at least four words that end as a sentence does, else 0."""
    ends = response.rstrip()[-1:] in {".", "!", "?", ")", "`", '"'}
    return float(ends and len(response.split()) >= FEWEST_WORDS)


def short(prompt: str, response: str) -> float:
    """1 up to 25 words, and less the longer the response is."""
    return min(1.0, LONG / max(len(response.split()), 1))


GUIDELINE = (on_topic, unrepeated, whole, short)
GUIDELINE_WORDS = "on topic, without repetition, a finished sentence, not too long"


def rater(name: str, weights: Sequence[float], error_rate: float) -> Rater:
    """Somebody who follows the guideline and weighs its parts in their own way."""

    def score(prompt: str, response: str) -> float:
        """From 0 to 1."""
        parts = (
            weight * part(prompt, response) for weight, part in zip(weights, GUIDELINE, strict=True)
        )
        return sum(parts) / sum(weights)

    return Rater(name, "{:g} : {:g} : {:g} : {:g}".format(*weights), score, error_rate, NOISE)


RATERS = [
    rater("Topia", (4, 2, 2, 1), 0.05),
    rater("Vera", (2, 4, 2, 1), 0.10),
    rater("Finn", (1, 2, 4, 2), 0.10),
    rater("Percy", (2, 1, 2, 4), 0.15),
    rater("Sunniva", (3, 3, 1, 1), 0.15),
    rater("Alma", (1, 1, 1, 1), 0.20),
]


class SimulatedRater(threading.Thread):
    """Logs in, works in one campaign until the desk has no more items or `at_most` are done, and
    records errors.
    """

    def __init__(
        self,
        *,
        address: str,
        rater: Rater,
        campaign: str,
        seed: int,
        at_most: int | None = None,
    ) -> None:
        super().__init__(name=rater.name, daemon=True)
        self.rater, self.campaign, self.at_most = rater, campaign, at_most
        self.visitor = FormBrowser(address, rater.name)
        self.random = random.Random(f"{rater.name} {seed}")
        self.n_submitted = 0
        self.trouble: str | None = None

    def run(self) -> None:
        try:
            page = self.visitor.sign_in(self.rater.email, PASSWORD)
            page = self.visitor.open("/desk/")
            page = self.take_first(page)
            while self.is_work(page) and self.n_submitted != self.at_most:
                page = self.judge(page)
            for button in page.root.xpath("//button[contains(@formaction, '/release')]")[:1]:
                form = replace(page.form("/submit"), action=str(button.get("formaction")))
                self.visitor.send(page, form)
        except UnexpectedPage as trouble:
            self.trouble = str(trouble)

    def is_work(self, page: Page) -> bool:
        return bool(page.root.xpath("//form[@id='answer']"))

    def take_first(self, desk: Page) -> Page:
        for line in desk.root.iter("li"):
            actions = [str(action) for action in line.xpath(".//form/@action")]
            has_work = line.xpath(".//button[@data-kind='primary']")
            starts = [action for action in actions if has_work and action.endswith("/next")]
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
        page = self.confirm(review)
        self.n_submitted += 1
        return page

    def confirm(self, review: Page) -> Page:
        if review.status != 200 or not review.root.xpath("//button[@value='submit']"):
            raise UnexpectedPage(f"{self.rater.name} may not submit: “{review.text[:500]}”")
        return self.visitor.send(review, review.form("/submit"), step="submit")

    def answers(self, prompt: str, responses: dict[str, str], form: Form) -> dict[str, str]:
        read = read_scores(self.rater, prompt, list(responses.values()), self.random)
        scores = dict(zip(responses, read, strict=True))
        order = sorted(set(scores.values()), reverse=True)
        answers = {
            f"rank-{letter}": str(1 + order.index(score)) for letter, score in scores.items()
        }
        for letter, score in scores.items():
            overall = f"rate-{letter}-overall"
            if overall in form.options:
                answers[overall] = str(7 - round(6 * order.index(score) / max(len(order) - 1, 1)))
        return answers


def read_scores(
    rater: Rater, prompt: str, responses: Sequence[str], chance: random.Random
) -> list[float]:
    """The scores of these responses as the rater reads them."""
    scores = [rater.score(prompt, text) for text in responses]
    if chance.random() < rater.error_rate:
        return chance.sample(scores, len(scores))
    return [round(score + chance.gauss(0, rater.noise), DIGITS) for score in scores]


def read_item(page: Page) -> tuple[str, dict[str, str]]:
    """The last turn of the prompt, and the responses by letter, as the page shows them."""
    (prompt, *_) = page.root.find_class("desk-prompt-last")
    return text_of(prompt), read_responses(page)


def read_responses(page: Page) -> dict[str, str]:
    articles = page.root.xpath("//article[@data-letter]")
    return {
        article.get("data-letter"): article.xpath("string(.//pre[@data-shown='raw'])")
        for article in articles[:MOST_RESPONSES]
    }
