"""What a recorded site gets on top, stage by stage: conversations, a red teaming and a curation.
Models answer while the raters wait; what raters type is in messages.json.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import local_site
import loop
from form_browser import Form, Page, open_campaign, opened, text_of
from loop import DEMO, bring_in, make_guideline, make_pool, say, use_link
from record_demo.raters import ABOUT_RULES, BY_RULES, PEOPLE, POOL, breaks, should_go
from record_demo.stages import (
    N_TOKENS,
    SCHEDULE,
    Recorder,
    address_of,
    campaigns,
    compute_quality,
    end,
    links,
    models,
)
from simulated_raters import SimulatedRater, read_responses, read_scores

HERE = Path(__file__).parent
TYPED: dict[str, Any] = json.loads((HERE / "messages.json").read_text())
WORKING = PEOPLE[:5]
"""The others were paused in the recording."""
TALK, TALKING = "Talking with a model, simulated raters", "Talking with a model"
ATTACKS, SAFETY = "Breaking two rules, simulated raters", "Answering safely"
CURATED = "Responses of two cycles"
KINDS = ("chat", "classification", "closed_qa", "extract", "generation", "rewrite", "summarization")
"""Categories without gold items: those would be removed first, as items of a test."""
N_EACH, N_REVIEWERS, N_REMOVED, N_JUDGES = 3, 2, 20, 3
POLL_S = 2.0
BROKEN = 3
"""How far an attack gets when its rule is broken: its attacker stops there."""


# --- conversations --------------------------------------------------------------------------------


class Talker(SimulatedRater):
    """Types the messages of messages.json, and rates by the guideline's score."""

    said: list[str]
    scores: list[float]

    def is_work(self, page: Page) -> bool:
        return "/desk/conversations/" in page.address or "/desk/turns/" in page.address

    def judge(self, page: Page) -> Page:
        """One whole conversation."""
        self.scores = []
        if any(form.action.endswith("/start") for form in page.forms):
            page = self.visitor.send(page, page.form("/start"))
        self.begin(page)
        while True:
            page = self.waited(page)
            if "/desk/turns/" in page.address:
                page = self.rate(page)
            elif self.said:
                page = self.visitor.send(page, page.form("/write"), text=self.said.pop(0))
            else:
                self.n_submitted += 1
                return self.finish(page)

    def begin(self, page: Page) -> None:
        first = text_of(page.root.xpath("//li[@data-role='user']//div")[-1])
        self.said = list(TYPED["conversations"][first])

    def waited(self, page: Page) -> Page:
        """The page with the answers, once they are there."""
        while page.root.xpath("//*[@id='waiting']"):
            time.sleep(POLL_S)
            page = self.visitor.open(page.address)
        return page

    def rate(self, page: Page) -> Page:
        prompt = text_of(page.root.xpath("//li[@data-role='user']//div")[-1])
        texts = read_responses(page)
        read = read_scores(self.rater, prompt, list(texts.values()), self.random)
        scores = dict(zip(texts, read, strict=True))
        self.scores.append(max(scores.values()))
        answers: dict[str, Any] = {
            f"rate-{letter}-overall": str(on_scale(score)) for letter, score in scores.items()
        }
        answers["preference"] = self.preference(texts, scores)
        rated = self.visitor.send(page, page.form("/submit"), step="submit", **answers)
        # Whoever rates faster than people read is asked to look again.
        return self.confirm(rated) if rated.address.endswith("/submit") else rated

    def preference(self, texts: dict[str, str], scores: dict[str, float]) -> str:
        """The step: the better answer, and by how much."""
        difference = scores["A"] - scores["B"]
        strength = 1 + sum(abs(difference) > limit for limit in (0.05, 0.15, 0.3))
        return f"{'A' if difference > 0 else 'B'}{strength}"

    def finish(self, page: Page) -> Page:
        reached = on_scale(sum(self.scores) / len(self.scores))
        return self.visitor.send(page, page.form("/finish"), goal_rating=str(reached))


def on_scale(score: float) -> int:
    """From 1 to 7."""
    return 1 + round(6 * min(max(score, 0.0), 1.0))


def back(recorder: Recorder) -> None:
    """The models are restored, and the raters, whose passwords are not stored, set new ones."""
    local_site.manage(recorder.site, "add_demo_model")
    admin = recorder.admin
    people = links(admin.open("/people/"), r"^/people/\d+/$")
    for one in WORKING:
        (address, *_) = [link for link, words in people if one.name in words]
        page = admin.open(address)
        use_link(recorder.site, admin.send(page, page.form("/invite")), one.name)


def conversations(recorder: Recorder) -> None:
    admin = recorder.admin
    bring_in(admin, HERE / "talks.jsonl")
    make_guideline(admin, TALKING, DEMO / "talking.md")
    talk = {"n_answers": "2", "opening": "prompt", "min_turns": "2", "max_turns": "4"}
    open_campaign(
        admin,
        name=TALK,
        pool=POOL,
        guideline=TALKING,
        options={"sources": ["talks"], "talk-models": answering(recorder)},
        kind="conversation",
        asks_strength="on",
        overlap="1",
        **prefixed(talk),
    )
    recorder.work(TALK, kind=Talker, people=WORKING[:3])
    end(recorder, TALK)


def answering(recorder: Recorder) -> list[str]:
    """The first model and that of the first cycle, as admins see them."""
    first, _sft, cycle, *_ = models(recorder)
    return [loop.source_of(recorder.site, name) for name in (first, cycle)]


def prefixed(talk: dict[str, str]) -> dict[str, Any]:
    talk = {"temperature": "0.9", "max_new_tokens": str(N_TOKENS), "draws": "conversation"} | talk
    return {f"talk-{name}": value for name, value in talk.items()}


# --- red teaming ----------------------------------------------------------------------------------


class Attacker(Talker):
    """Tries what messages.json says. The worse answer goes on: the one that breaks the rule, else
    the one with the lower score.
    """

    left = {brief["goal"]: list(brief["tries"]) for brief in TYPED["attacks"]}
    brief: dict[str, Any]
    attempt: dict[str, Any]
    reached: tuple[int, int]

    def begin(self, page: Page) -> None:
        (self.brief, *_) = [brief for brief in TYPED["attacks"] if brief["goal"] in page.text]
        self.attempt = self.left[self.brief["goal"]].pop(0)
        self.said = list(self.attempt["messages"])

    def preference(self, texts: dict[str, str], scores: dict[str, float]) -> str:
        how_far = {letter: breaks(text, self.brief["area"]) for letter, text in texts.items()}
        self.reached = max(how_far.values())
        if self.reached[0] >= BROKEN:
            self.said = []
        difference = how_far["B"][0] - how_far["A"][0]
        if not difference:
            return super().preference(texts, scores)[0] + "1"
        return f"{'A' if difference > 0 else 'B'}{min(abs(difference), 3) + 1}"

    def finish(self, page: Page) -> Page:
        (lease, *_) = re.findall(r"/desk/conversations/[\w-]+/", page.address)
        page = self.visitor.open(lease + "end-attack/")
        success, severity = self.reached
        return self.visitor.send(
            page,
            page.form(has="tried"),
            step="stop",
            success=str(success),
            severity=str(severity),
            tags=self.attempt["tags"],
            tried=self.attempt["tried"],
        )


class Reviewer(SimulatedRater):
    """Rates by the same rules, without knowing which one was attacked."""

    def answers(self, prompt: str, responses: dict[str, str], form: Form) -> dict[str, str]:
        answers = {}
        scores = {text: self.rater.score(prompt, text) for text in responses.values()}
        order = sorted(responses.values(), key=lambda text: (breaks(text), -scores[text]))
        for letter, text in responses.items():
            success, severity = breaks(text)
            answers[f"rank-{letter}"] = str(1 + order.index(text))
            answers[f"rate-{letter}-attack_success"] = str(success)
            answers[f"rate-{letter}-attack_severity"] = str(severity)
        return answers


def red_teaming(recorder: Recorder) -> None:
    admin = recorder.admin
    make_pool(admin, BY_RULES, ABOUT_RULES, [f"{one.name} (simulated)" for one in WORKING])
    make_guideline(admin, SAFETY, HERE / "answering.md")
    page = admin.open("/campaigns/new/red-teaming/")
    page = admin.send(page, page.form(has="n_reviewers"), more="briefs")
    form = page.form(has="n_reviewers")
    more: dict[str, Any] = {
        f"briefs-{number}-{name}": brief[name]
        for number, brief in enumerate(TYPED["attacks"])
        for name in ("goal", "area", "rule")
    }
    more["talk-models"] = [form.option("talk-models", name) for name in answering(recorder)]
    more |= prefixed({"n_answers": "2", "max_turns": "3"})
    page = admin.send(
        page,
        form,
        name=ATTACKS,
        pool=form.option("pool", BY_RULES),
        guideline=form.option("guideline", SAFETY),
        review_pool=form.option("review_pool", BY_RULES),
        n_each=str(N_EACH),
        n_reviewers=str(N_REVIEWERS),
        **more,
    )
    opened(admin, page)
    for one in WORKING:
        visitor = recorder.signed_in_rater(one)
        page = visitor.open("/my-care/")
        kinds = [brief["area"] for brief in TYPED["attacks"]]
        visitor.send(page, page.form(has="kinds"), kinds=kinds)
    recorder.work(ATTACKS, at_most=1, kind=Attacker, people=WORKING)
    # One attack for each brief is left.
    recorder.work(ATTACKS, at_most=1, kind=Attacker, people=WORKING[:1])
    end(recorder, ATTACKS)


def reviews(recorder: Recorder) -> None:
    (name,) = [one for one in campaigns(recorder.admin) if one.startswith("Review: ")]
    recorder.work(name, kind=Reviewer, people=WORKING)
    end(recorder, name)


# --- curation -------------------------------------------------------------------------------------


class RuleRater(SimulatedRater):
    """Says of each text whether it should be removed."""

    def answers(self, prompt: str, responses: dict[str, str], form: Form) -> dict[str, str]:
        removals = {letter: should_go(text) for letter, text in responses.items()}
        return {
            f"{field}-{letter}{ending}": str(1 + goes)
            for letter, goes in removals.items()
            for field, ending in (("rank", ""), ("rate", "-remove"))
        }


def curation(recorder: Recorder) -> None:
    """A preview, whose strongest rule raters judge. It is not frozen, so that it can be seen."""
    researcher = recorder.researcher
    page = researcher.open("/snapshots/new/?kind=comparisons")
    form = page.form(has="name")
    cycles = [f"{SCHEDULE} {cycle}" for cycle in (1, 2)]
    page = researcher.send(
        page,
        form,
        name=CURATED,
        # Those of the gates have “(2)” behind the name.
        campaigns=[
            pk
            for pk, words in form.options["campaigns"].items()
            if any(name in words and f"{name} (2)" not in words for name in cycles)
        ],
        categories=list(KINDS),
        includes_imports=None,
        recipe="response",
        preview="1",
    )
    if "/curations/" not in page.address:
        raise SystemExit(f"The preview was not begun: {page.text[:1000]}")
    while not any(form.action.endswith(("/snapshot/", "/update/")) for form in page.forms):
        time.sleep(POLL_S)
        page = researcher.open(page.address)
    rating = links(page, r"/rate/\?rule=")
    if not rating:
        raise SystemExit(f"Raters cannot judge the strongest rule: {page.text[:1000]}")
    say("  " + page.text[:300])
    page = researcher.open(rating[0][0])
    form = page.form(has="overlap")
    pool = form.option("pool", BY_RULES)
    page = researcher.send(page, form, pool=pool, n=str(N_REMOVED), overlap=str(N_JUDGES))
    (name,) = [one for one in campaigns(recorder.admin) if one.startswith(CURATED)]
    recorder.work(name, kind=RuleRater, people=WORKING)
    end(recorder, name)


def quality(recorder: Recorder) -> None:
    compute_quality(recorder.admin)
    for name in (TALK, ATTACKS):
        page = recorder.admin.open(address_of(recorder.admin, name))
        say("  " + page.text[:500])
