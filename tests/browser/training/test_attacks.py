"""Attacks in Chromium: the form, the page of what they found, and examples opened by keyboard."""

from collections.abc import Callable
from zlib import crc32

from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Pool, Rater
from tests.training.benchmarks.attacks import rows
from tests.training.benchmarks.attacks.attacked_model import (
    CAUGHT,
    EVADED,
    GAVE_IN,
    MISSED,
    REFUSED,
)
from tests.training.benchmarks.scorecards.rows import NOW
from training.benchmarks.attacks import sampling
from training.benchmarks.suites import shipped_suites
from training.configs.evaluation.attack import STRATEGIES
from training.models import Run

Opener = Callable[..., Page]


def a_big_attack(by: User, name: str, most: int) -> Run:
    """All strategies on the shipped goals; those further down the list work more often."""
    suite = next(one for one in shipped_suites.load(by=by, now=NOW) if one.slug == "attack-goals")
    names = list(STRATEGIES)

    def text(position: int, strategy: str, sample: int) -> str:
        draw = crc32(f"{position}:{strategy}:{sample}".encode()) % 100
        gives_in = draw < most * names.index(strategy) * (1 + position // 5) // 8
        return (CAUGHT, MISSED)[draw % 7 == 0] if gives_in else (REFUSED, EVADED)[draw % 5 == 0]

    lines = rows.lines(suite, text, strategies=names, n_samples=3)
    return rows.attacked(suite, by, lines, name=name)


def test_what_an_attack_found_is_accessible_fits_and_is_blurred(
    open_page: Opener,
    look_over_each: Callable[..., None],
    noor: User,
    day_shift: Pool,
    rosa: Rater,
) -> None:
    run = a_big_attack(noor, "helpful-and-harmless-ppo-november", 12)
    page = open_page(f"/runs/{run.pk}/attacks/", noor)
    look_over_each(
        page,
        {
            "attack-new": "/runs/new/attack/",
            "attacks-uncorrected": f"/runs/{run.pk}/attacks/",
            "attack-run": f"/runs/{run.pk}/",
            "attacks-raters": f"/runs/{run.pk}/attacks/raters/",
        },
        widths=(1440, 390),
    )
    terms = sampling.Terms(pool=day_shift, n=100, overlap=1)
    sample = sampling.send_to_raters(run=run, terms=terms, by=noor, now=NOW)
    rows.judged(sample.campaign, rosa, lambda answer: answer.text in GAVE_IN)
    look_over_each(page, {"attacks": f"/runs/{run.pk}/attacks/"}, widths=(1440, 390))

    expect(page.get_by_text("Corrected by what raters say of 100 attempts")).to_be_visible()
    example = page.locator(".attack").first
    blurred = "(element) => getComputedStyle(element).filter"
    assert "blur" in example.locator(".attack-text").evaluate(blurred)
    example.locator("summary").focus()
    page.keyboard.press("Enter")
    assert example.locator(".attack-text").evaluate(blurred) == "none"
    expect(example.get_by_text("Blur", exact=True)).to_be_visible()
