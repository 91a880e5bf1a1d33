"""What a line's page says first: no more than its votes carry, however many models it has tried."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from arithmetic.figures import Figure
from pages.verdicts import Effect
from tests.training.lines import lines
from tests.training.lines.lines import FIRST, chain, drawn, model, win_rate
from training.lines import verdicts, words
from training.lines.selectors import Attempt, Fate, Line
from training.lines.win_rates import WinRate
from training.models import Schedule

BETTER = Figure(0.61, 320, 0.54, 0.68, about="raters_like_these")
UNCLEAR = Figure(0.53, 320, 0.46, 0.6, about="raters_like_these")
WORSE = Figure(0.4, 320, 0.33, 0.47, about="raters_like_these")
N_LINES = 300


def attempt(
    number: int, fate: Fate, rate: Figure | None, *, state: str = "finished", held_out: int = 7
) -> Attempt:
    against: WinRate | None = None if rate is None else win_rate(rate, number)
    return Attempt(
        chain(number, state),
        fate,
        model(number),
        FIRST,
        against_first=against,
        against_before=against,
        held_out=held_out,
    )


def line(*attempts: Attempt, current: int = 0) -> Line:
    schedule = Schedule(pk=4, name="Weekly")
    return Line(schedule, True, FIRST, model(current) if current else FIRST, attempts)


@pytest.mark.parametrize(
    ("figure", "sentence", "effect"),
    [
        (
            BETTER,
            "“model 1” is preferred to the first model in 61 % of 320 votes (95 % interval 54–68 %"
            " for raters like these).",
            Effect.BETTER,
        ),
        (
            UNCLEAR,
            "“model 1” is the current model. Raters preferred it to the first in 53 % of 320 votes"
            " (95 % interval 46–60 % for raters like these): chance may explain the difference.",
            Effect.UNCLEAR,
        ),
        (
            WORSE,
            "“model 1” is the current model. Raters prefer the first to it: it won 40 % of 320"
            " votes (95 % interval 33–47 % for raters like these).",
            Effect.WORSE,
        ),
        (
            Figure(1.0, 3),
            "“model 1” is the current model. Raters preferred it to the first in 100 % of 3 votes"
            " (no interval): too few prompts to tell.",
            Effect.UNCLEAR,
        ),
        (
            None,
            "“model 1” is the current model. Nobody has compared it with the first, “first”.",
            Effect.UNCLEAR,
        ),
    ],
)
def test_a_promoted_model_is_judged_against_the_first(
    figure: Figure | None, sentence: str, effect: Effect
) -> None:
    found = verdicts.of_line(line(attempt(1, Fate.PROMOTED, figure), current=1))

    assert (found.sentence, found.effect) == (sentence, effect)


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (BETTER, "Raters prefer the newest, “model 1”, to the first in 61 %"),
        (UNCLEAR, "Raters preferred the newest, “model 1”, to the first in 53 %"),
        (WORSE, "Raters prefer the first to the newest, “model 1”, which won 40 %"),
        (None, "Nobody has compared “model 1” with the first, “first”."),
    ],
)
def test_while_nothing_is_promoted_the_newest_model_is_judged(
    figure: Figure | None, words: str
) -> None:
    found = verdicts.of_line(line(attempt(1, Fate.REFUSED, figure)))

    assert found.sentence.startswith(f"No model has been promoted yet. {words}")


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        (Fate.UNDECIDED, "The last chain is undecided."),
        (Fate.REFUSED, "The last chain's model was not promoted."),
        (Fate.WAITS, "The last chain needs a decision."),
        (Fate.ASKED, "Raters are comparing the last chain's model."),
        (Fate.GOING, "The last chain is running."),
        (Fate.FAILED, "The last chain has failed."),
        (Fate.STOPPED, "The last chain was stopped."),
    ],
)
def test_the_sentence_ends_with_what_became_of_the_last_chain(fate: Fate, words: str) -> None:
    found = line(attempt(1, Fate.PROMOTED, BETTER), attempt(2, fate, None), current=1)

    assert verdicts.of_line(found).sentence.endswith(f"for raters like these). {words}")


def test_a_promoted_model_that_is_gone_is_still_said_to_be_promoted() -> None:
    found = verdicts.of_line(line(attempt(1, Fate.PROMOTED, UNCLEAR)))

    assert found.sentence.startswith(
        "“model 1” was promoted last, and can no longer be trained from. Raters preferred it"
    )


def test_a_line_without_a_chain_or_without_models_says_so() -> None:
    empty = Line(Schedule(pk=4))

    assert verdicts.of_line(empty).sentence.startswith("No chain has run yet")
    assert verdicts.of_line(replace(empty, makes_models=False)).sentence.startswith(
        "This schedule trains no language model"
    )


@pytest.mark.parametrize(
    ("last", "label", "url"),
    [
        (attempt(2, Fate.WAITS, None, state="approval"), "Go to chain 2", "/chains/2/"),
        (attempt(2, Fate.FAILED, None, state="failed"), "Go to chain 2", "/chains/2/"),
        (attempt(2, Fate.GOING, None, state="going"), "See chain 2", "/chains/2/"),
        (
            attempt(2, Fate.PROMOTED, None),
            "Sample the first model to have it compared",
            "/runs/new/sample/?base_model=1&snapshot=7",
        ),
        (attempt(2, Fate.PROMOTED, BETTER), "Run the next chain", "/schedules/4/fire"),
    ],
)
def test_the_button_leads_to_where_a_person_is_needed(last: Attempt, label: str, url: str) -> None:
    current = 2 if last.fate == Fate.PROMOTED else 0
    found = verdicts.of_line(line(attempt(1, Fate.REFUSED, BETTER), last, current=current))

    assert found.action is not None
    assert (found.action.label, found.action.url) == (label, url)


def test_the_interval_of_a_model_picked_among_several_is_wider() -> None:
    one = line(attempt(1, Fate.PROMOTED, BETTER), current=1)
    three = line(
        *(attempt(number, Fate.REFUSED, UNCLEAR) for number in (1, 2)),
        attempt(3, Fate.PROMOTED, BETTER),
        current=3,
    )

    alone, among = words.among_all(one), words.among_all(three)

    assert alone is not None
    assert among is not None
    assert (alone.low, alone.high) == pytest.approx((0.54, 0.68))
    assert (among.low or 0) < 0.525
    assert "several models" in verdicts.of_line(three).advice
    assert not verdicts.of_line(one).advice


@pytest.mark.parametrize(
    ("size", "share"),
    [((3, 12, 4), 0.5), ((6, 40, 8), 0.5), ((1, 40, 8), 0.6), ((3, 12, 4), 0.6)],
)
def test_the_sentences_interval_covers_the_truth_although_gates_pick_the_lucky(
    size: tuple[int, int, int], share: float
) -> None:
    n_chains, n_prompts, n_raters = size

    covered = [
        _covers(words.among_all(drawn(raters, n_chains)), share)
        for raters in _draws(n_prompts, n_raters, share)
    ]

    known = [one for one in covered if one is not None]
    assert len(known) > 0.5 * N_LINES
    assert np.mean(known) >= 0.95 - 2.5 * (0.05 * 0.95 / len(known)) ** 0.5


def _draws(n_prompts: int, n_raters: int, share: float) -> Sequence[lines.Raters]:
    return [
        lines.Raters(np.random.default_rng([8, number]), n_prompts, n_raters, share)
        for number in range(N_LINES)
    ]


def _covers(rate: Figure | None, truth: float) -> bool | None:
    if rate is None or rate.low is None or rate.high is None:
        return None
    return rate.low <= truth <= rate.high


def test_no_rate_against_the_first_is_made_up_from_rates_along_the_line() -> None:
    second = replace(
        attempt(2, Fate.PROMOTED, None), before=model(1), against_before=win_rate(BETTER, 2)
    )
    found = line(attempt(1, Fate.PROMOTED, BETTER), second, current=2)

    assert words.headlines(found)[0].value == "not measured"
    assert verdicts.of_line(found).effect == Effect.UNCLEAR
