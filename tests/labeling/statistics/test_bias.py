"""What choices follow besides quality, and who is flagged: against published shares, slow twins and
planted habits.
"""

import json
import math
from collections.abc import Collection, Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from labeling.statistics.bias import flagging, looks, shares, slopes
from labeling.statistics.bias import habits as bias_habits
from tests.labeling.statistics import oracles

PAIRS = oracles.DATA / "llmfao_pairs.jsonl"
NAN = float("nan")


# What can be seen on a response


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain words.", (0, 0, 0, 0, False)),
        ("- one\n- two\n3. three\nnot - this", (3, 0, 0, 0, False)),
        ("Be **bold** and __bolder__, 2 ** 3 ** 4 is not", (0, 2, 0, 0, False)),
        ("See https://example.org and [here](https://example.org/a).", (0, 0, 2, 0, False)),
        ("Good 🎉 work 👍", (0, 0, 0, 2, False)),
        ("I'm sorry, but I can't help with that.", (0, 0, 0, 0, True)),
        ("I am unable to open files.", (0, 0, 0, 0, True)),
        ("I can help you with that. Sorry for the wait.", (0, 0, 0, 0, False)),
        ("x" * 400 + " I cannot help with that.", (0, 0, 0, 0, False)),
    ],
)
def test_features_are_what_a_reader_sees(
    text: str, expected: tuple[int, int, int, int, bool]
) -> None:
    found = looks.features(text)

    assert (
        found.n_list_items,
        found.n_bold,
        found.n_links,
        found.n_emoji,
        found.is_refusal,
    ) == expected
    assert found.n_chars == len(text)


def test_differences_are_doublings_of_length_and_who_has_what() -> None:
    first = looks.looks([looks.features("x" * 127), looks.features("- a")])
    second = looks.looks([looks.features("x" * 63), looks.features("**b**")])

    found = looks.differences(first, second)

    assert found["length"][0] == pytest.approx(1)
    assert (found["list"].tolist(), found["bold"].tolist()) == ([0, 1], [0, -1])


# The regression


def clustered_choices(seed: int, n: int = 600) -> dict[str, Any]:
    """Thirty prompts and twelve raters; the choice follows position a little, length much, lists
    not at all.
    """
    random = np.random.default_rng(seed)
    prompts, raters = random.integers(0, 30, n), random.integers(0, 12, n)
    length, lists = random.standard_normal(n), random.integers(-1, 2, n).astype(float)
    leaning = random.standard_normal(30)[prompts] * 0.5 + random.standard_normal(12)[raters] * 0.5
    won = random.random(n) < 1 / (1 + np.exp(-(0.3 + 0.8 * length + leaning)))
    return {
        "first_won": won.astype(float),
        "length": length,
        "list": lists,
        "prompts": prompts,
        "raters": raters,
    }


def regressed(data: dict[str, Any], **more: Any) -> bias_habits.Choices:
    features = {"length": data["length"], "list": data["list"], **more}
    return bias_habits.choices(
        first_won=data["first_won"],
        features=features,
        prompts=data["prompts"],
        raters=data["raters"],
    )


def test_odds_ratios_are_those_of_an_unpenalised_logistic_regression() -> None:
    data = clustered_choices(0)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(
        np.column_stack([data["length"], data["list"]]), data["first_won"]
    )

    found = regressed(data)

    assert [effect.name for effect in found.effects] == [bias_habits.POSITION, "length", "list"]
    expected = np.exp([other.intercept_[0], *other.coef_[0]])
    assert [effect.odds.value for effect in found.effects] == pytest.approx(expected, abs=1e-4)


def meat_by_hand(scores: np.ndarray, groups: Collection[Hashable]) -> np.ndarray:
    total = np.zeros((scores.shape[1], scores.shape[1]))
    names = set(groups)
    for name in names:
        inside = sum(score for score, group in zip(scores, groups, strict=True) if group == name)
        total += np.outer(inside, inside)
    return total * len(names) / (len(names) - 1)


def test_errors_are_clustered_by_prompt_and_by_rater() -> None:
    data = clustered_choices(1, n=200)
    found = regressed(data)
    design = np.column_stack([np.ones(200), data["length"], data["list"]])
    fit = np.log([effect.odds.value for effect in found.effects])
    p = 1 / (1 + np.exp(-design @ fit))
    bread = np.linalg.inv(
        sum(
            chance * (1 - chance) * np.outer(row, row)
            for row, chance in zip(design, p, strict=True)
        )
    )
    scores = design * (data["first_won"] - p)[:, None]
    prompts, raters = data["prompts"].tolist(), data["raters"].tolist()
    meat = (
        meat_by_hand(scores, prompts)
        + meat_by_hand(scores, raters)
        - meat_by_hand(scores, list(zip(prompts, raters, strict=True)))
    )

    errors = np.sqrt(np.diag(bread @ meat @ bread))

    assert [effect.odds.se for effect in found.effects] == pytest.approx(errors, abs=1e-8)
    length = found.effects[1].odds
    assert (length.low, length.high) == pytest.approx(
        tuple(np.exp(fit[1] + np.array([-1, 1]) * 1.959964 * errors[1])), rel=1e-6
    )


def test_one_rater_s_choices_are_clustered_by_prompt() -> None:
    data = clustered_choices(4)
    alone = regressed(data | {"raters": np.zeros(600, dtype=int)})
    by_prompt = regressed(data | {"raters": data["prompts"]})

    errors, expected = (
        [effect.odds.se for effect in found.effects] for found in (alone, by_prompt)
    )

    assert errors == pytest.approx(expected)


def test_intervals_hold_where_there_is_no_effect() -> None:
    outside = 0
    for seed in range(60):
        effect = regressed(clustered_choices(seed, n=400)).effects[2].odds
        outside += not effect.low <= 1 <= effect.high

    assert outside <= 10


def test_ties_and_votes_without_a_feature_are_left_out() -> None:
    data = clustered_choices(2)
    data["first_won"][:50] = 0.5
    data["length"][50:80] = NAN

    assert regressed(data).n == 600 - 80


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (lambda data: np.zeros(600), "The two responses never differ in this."),
        (lambda data: 2 * data["length"], "This duplicates the features above it."),
        (
            lambda data: 2 * data["first_won"] - 1,
            "Every vote follows this feature, so the odds are unbounded.",
        ),
    ],
    ids=["constant", "twice", "separating"],
)
def test_a_feature_without_an_answer_has_a_sentence(column: Any, sentence: str) -> None:
    data = clustered_choices(3)

    found = {effect.name: effect for effect in regressed(data, extra=column(data)).effects}["extra"]

    assert (found.odds.value, found.odds.note) == (None, sentence)


def rare_sight(
    n_votes: int, n_followed: int, n_of_prompts: int = 40
) -> dict[str, bias_habits.Effect]:
    """Two thousand even votes, of which `n_votes` are on pairs where one has an emoji: it wins
    `n_followed` of them.
    """
    random = np.random.default_rng(8)
    won, emoji = random.integers(0, 2, 2_000).astype(float), np.zeros(2_000)
    emoji[:n_votes] = random.choice([-1, 1], n_votes)
    won[:n_votes] = (emoji[:n_votes] > 0) == (np.arange(n_votes) < n_followed)
    prompts, raters = np.arange(2_000) % 40, random.integers(0, 20, 2_000)
    prompts[:n_votes] %= n_of_prompts
    length = random.standard_normal(2_000)
    found = bias_habits.choices(
        first_won=won, features={"length": length, "emoji": emoji}, prompts=prompts, raters=raters
    )
    return {effect.name: effect for effect in found.effects}


@pytest.mark.parametrize(
    ("n_votes", "n_followed", "n_of_prompts", "sentence"),
    [
        (
            1,
            1,
            40,
            "Fewer than 10 decided votes are on responses that differ in this. That is too few.",
        ),
        (
            9,
            5,
            40,
            "Fewer than 10 decided votes are on responses that differ in this. That is too few.",
        ),
        (10, 10, 40, "Every vote follows this feature, so the odds are unbounded."),
        (200, 0, 40, "Every vote follows this feature, so the odds are unbounded."),
        (30, 20, 4, "Responses to fewer than 5 prompts differ in this. That is too few."),
    ],
)
def test_a_rare_sight_has_no_odds_from_a_few_votes_or_from_votes_of_one_kind(
    n_votes: int, n_followed: int, n_of_prompts: int, sentence: str
) -> None:
    found = rare_sight(n_votes, n_followed, n_of_prompts)

    assert (found["emoji"].odds.value, found["emoji"].odds.note) == (None, sentence)
    assert 0.8 < found["length"].odds.value < 1.25


def test_a_rare_sight_has_odds_once_votes_differ() -> None:
    assert rare_sight(40, 30)["emoji"].odds.value == pytest.approx(3, rel=0.1)


def test_few_prompts_do_not_make_an_effect_certain() -> None:
    """All votes on the feature are of five prompts, whose scores sum to nearly nothing, and so
    would the clustered error.
    """
    random = np.random.default_rng(9)
    prompts = np.arange(2_000) % 400
    emoji = (prompts < 5).astype(float)
    won = np.where(emoji == 1, (np.arange(2_000) // 400) != 0, random.random(2_000) < 0.5).astype(
        float
    )

    found = bias_habits.choices(
        first_won=won, features={"emoji": emoji}, prompts=prompts, raters=np.arange(2_000) % 7
    ).effects[1]

    assert found.odds.value == pytest.approx(4, rel=0.2)
    assert found.odds.se > 0.4


def test_lengths_that_are_nearly_alike_have_no_odds_per_doubling() -> None:
    random = np.random.default_rng(10)
    one, other = random.integers(5_000, 5_040, 60), random.integers(5_080, 5_120, 60)
    swapped = random.random(60) < 0.5
    chars = np.where(swapped, other, one), np.where(swapped, one, other)
    always = (chars[0] > chars[1]).astype(float)
    mostly = np.where(np.arange(60) < 6, 1 - always, always)

    found = [
        shares.longer(
            won=won,
            n_chars=chars[0],
            n_chars_other=chars[1],
            prompts=np.arange(60),
            raters=np.arange(60) % 5,
        )
        for won in (always, mostly)
    ]

    assert [one.share.figure.value for one in found] == [1.0, 0.9]
    assert [one.per_doubling.odds.value for one in found] == [None, None]
    assert found[0].per_doubling.odds.note.startswith("Every vote follows this")
    assert found[1].per_doubling.odds.note.startswith("Responses differ too little")


def random_campaign(seed: int) -> dict[str, Any]:
    """Small, with sights that are rare or always together, lengths far apart or nearly alike,
    raters with or without a habit.
    """
    random = np.random.default_rng(seed)
    n = int(random.integers(30, 400))
    prompts, raters = (
        random.integers(0, random.integers(2, 40), n),
        random.integers(0, random.integers(1, 10), n),
    )
    sights = {
        name: random.choice([-1.0, 0.0, 1.0], n, p=[share / 2, 1 - share, share / 2])
        for name, share in zip(
            ("list", "bold", "emoji"), random.choice([0, 0.01, 0.05, 0.3], 3), strict=True
        )
    }
    if random.random() < 0.3:
        sights["bold"] = np.where(random.random(n) < 0.95, sights["list"], sights["bold"])
    chars = random.integers(200, 3_000, n)
    apart = (
        random.integers(-60, 60, n) if random.random() < 0.3 else random.integers(-150, 2_000, n)
    )
    length = np.log2((1 + chars) / (1 + chars + apart))
    pull = random.choice([0.0, 1.0, 30.0]) * (length / (length.std() or 1) + sum(sights.values()))
    won = (random.random(n) < 1 / (1 + np.exp(-(pull + random.normal(0, 0.3))))).astype(float)
    features = {"length": length, **sights}
    return {
        "won": won,
        "features": features,
        "chars": (chars, chars + apart),
        "prompts": prompts,
        "raters": raters,
    }


def test_no_odds_beyond_a_thousand_are_told_of_small_campaigns() -> None:
    told: list[bias_habits.Effect] = []
    for seed in range(1_000):
        data = random_campaign(seed)
        given: dict[str, Any] = {"prompts": data["prompts"], "raters": data["raters"]}
        told += bias_habits.choices(
            first_won=data["won"], features=data["features"], **given
        ).effects
        told.append(
            shares.longer(
                won=data["won"], n_chars=data["chars"][0], n_chars_other=data["chars"][1], **given
            ).per_doubling
        )

    shown = [effect.odds.value for effect in told if effect.odds.value is not None]
    assert len(shown) > 2_000
    assert 1e-3 <= min(shown) <= max(shown) <= 1e3
    assert [effect for effect in told if effect.odds.value is None and not effect.odds.note] == []


def test_each_rater_s_slope_is_that_of_a_regression_of_their_own_votes() -> None:
    random = np.random.default_rng(11)
    raters, prompts = random.integers(3, 9, 900), random.integers(0, 40, 900)
    one, other = random.integers(100, 1_000, 900), random.integers(1_100, 3_000, 900)
    longer = np.log2((1 + one) / (1 + other))
    won = (random.random(900) < 1 / (1 + np.exp(-0.4 * (raters - 5) * longer))).astype(float)
    raters[:20], won[raters == 8] = 2, 0.0  # too few votes, and votes of one kind

    found = slopes.slope_by_rater(
        name="length", won=won, apart=longer, prompts=prompts, raters=raters
    )

    assert sorted(found) == [2, 3, 4, 5, 6, 7, 8]
    for rater, effect in found.items():
        own = raters == rater
        alone = shares.longer(
            won=won[own],
            n_chars=one[own],
            n_chars_other=other[own],
            prompts=prompts[own],
            raters=raters[own],
        )
        expected = alone.per_doubling.odds
        assert (effect.odds.value is None) == (expected.value is None) == (rater in (2, 8))
        assert (effect.odds.value or 0, effect.odds.low or 0) == pytest.approx(
            (expected.value or 0, expected.low or 0), rel=1e-6
        )
        assert (effect.odds.note != "") == (rater in (2, 8))


def test_nobody_has_a_slope_without_votes() -> None:
    assert slopes.slope_by_rater(name="length", won=[], apart=[], prompts=[], raters=[]) == {}


@pytest.mark.parametrize(
    "won", [[], [1.0] * 10, [1.0] * 50, [0.5] * 50], ids=["empty", "few", "one side", "all tied"]
)
def test_choices_without_an_answer_are_a_sentence(won: list[float]) -> None:
    found = bias_habits.choices(
        first_won=won,
        features={"length": range(len(won))},
        prompts=range(len(won)),
        raters=[1] * len(won),
    )

    assert found.effects == ()
    assert found.note.endswith(".")


# Shares


def test_a_share_without_groups_is_the_plain_z_test() -> None:
    found = shares.share([1] * 60 + [0] * 40)

    assert (found.figure.value, found.z) == (0.6, pytest.approx(2.0))
    assert (found.figure.low, found.figure.high) == (
        pytest.approx(0.5020026, abs=1e-6),
        pytest.approx(0.6905987, abs=1e-6),
    )


def test_votes_that_belong_together_make_a_wider_interval() -> None:
    chosen = np.repeat([1, 0, 1, 1, 0, 1, 0, 1, 1, 1], 20)

    alone, together = (
        shares.share(chosen),
        shares.share(chosen, groups=[np.repeat(np.arange(10), 20)]),
    )

    assert together.figure.value == alone.figure.value
    assert together.figure.high - together.figure.low > 3 * (alone.figure.high - alone.figure.low)


def test_sums_of_what_belongs_together_give_the_same_share_and_interval() -> None:
    random = np.random.default_rng(4)
    prompts, raters = random.integers(0, 20, 500), random.integers(0, 9, 500)
    chosen = (random.random(500) < 0.3 + 0.05 * raters).astype(float)
    together = prompts * 9 + raters
    cells = np.unique(together)
    sums = [chosen[together == cell].sum() for cell in cells]
    counts = [int((together == cell).sum()) for cell in cells]

    found = shares.share(sums, counts=counts, groups=[cells // 9, cells % 9])

    expected = shares.share(chosen, groups=[prompts, raters])
    assert (found.figure.n, found.figure.value) == (500, pytest.approx(expected.figure.value))
    assert (found.figure.low, found.figure.high) == (
        pytest.approx(expected.figure.low),
        pytest.approx(expected.figure.high),
    )


def test_nothing_to_count_is_a_sentence() -> None:
    assert shares.share([]).figure.note == "Nothing to count yet."
    assert shares.share([1, 1, 1], groups=[[1, 2, 3]]).z is not None


@oracles.needs_crowd
def test_the_crowd_s_left_share_is_the_published_one() -> None:
    _, _, labels = oracles.crowd_votes()

    found = shares.share(labels[labels != 0] == -1)

    assert (found.figure.value, found.figure.n) == (pytest.approx(0.533, abs=5e-4), 5_460)
    assert found.z == pytest.approx(4.9, abs=0.05)


@oracles.needs_crowd
def test_the_crowd_preferred_the_shorter_answer() -> None:
    texts = {}
    for line in PAIRS.read_text(encoding="utf-8").strip().split("\n"):
        row = json.loads(line)
        texts[row["id"]] = {
            row["model_x"]: len(row["result_x"]),
            row["model_y"]: len(row["result_y"]),
        }
    units, raters, labels = oracles.crowd_votes()
    sides = oracles.crowd_sides()
    left, right = (
        np.array([texts[unit][model] for unit, model in zip(units.tolist(), side, strict=True)])
        for side in sides
    )
    won = np.where(labels == 0, 0.5, labels == -1)

    found = shares.longer(won=won, n_chars=left, n_chars_other=right, prompts=units, raters=raters)

    assert (found.share.figure.value, found.share.figure.n) == (
        pytest.approx(0.410, abs=5e-4),
        5_460,
    )
    assert found.share.figure.high < 0.5


def test_longer_needs_thirty_characters() -> None:
    found = shares.longer(
        won=[1, 1, 0, 0.5],
        n_chars=[100, 131, 100, 900],
        n_chars_other=[70, 100, 200, 1],
        prompts=[1, 2, 3, 4],
        raters=[1] * 4,
    )

    assert (found.share.figure.value, found.share.figure.n) == (1.0, 2)


# Length taken out


def test_length_control_is_the_two_term_fit() -> None:
    random = np.random.default_rng(6)
    own, other = random.integers(50, 2_000, (2, 400))
    apart = np.tanh((own - other) / np.std(own - other))
    won = (random.random(400) < 1 / (1 + np.exp(-(-0.4 + 1.5 * apart)))).astype(float)
    won[:20] = 0.5
    loss = lambda at: float(  # noqa: E731
        (np.logaddexp(0, at[0] + at[1] * apart) - won * (at[0] + at[1] * apart)).sum()
    )
    theta, phi = minimize(loss, [0.0, 0.0], tol=1e-10).x

    found = bias_habits.length_controlled(
        won=won, n_chars=own, n_chars_other=other, prompts=np.arange(400)
    )

    assert found.raw.value == pytest.approx(100 * won.mean())
    assert found.controlled.value == pytest.approx(100 / (1 + math.exp(-theta)), abs=1e-3)
    assert found.slope == pytest.approx(phi, abs=1e-3)
    assert found.controlled.low < found.controlled.value < found.controlled.high


def test_a_model_that_wins_by_length_alone_wins_half_when_it_is_taken_out() -> None:
    random = np.random.default_rng(7)
    own, other = random.integers(600, 2_000, 3_000), random.integers(50, 1_400, 3_000)
    apart = (own - other) / np.std(own - other)
    won = random.random(3_000) < 1 / (1 + np.exp(-1.5 * np.tanh(apart)))

    found = bias_habits.length_controlled(
        won=won, n_chars=own, n_chars_other=other, prompts=np.arange(3_000)
    )

    assert found.raw.value > 60
    assert found.controlled.low < 50 < found.controlled.high


@pytest.mark.parametrize(("won", "chars"), [([], []), ([1, 1], [5, 9]), ([1, 0], [5, 5])])
def test_length_control_gives_a_number_or_a_sentence(won: list[float], chars: list[int]) -> None:
    found = bias_habits.length_controlled(
        won=won, n_chars=chars, n_chars_other=[5] * len(won), prompts=range(len(won))
    )

    for figure in (found.raw, found.controlled):
        assert (figure.value is None) == (figure.note != "")
        assert figure.value is None or math.isfinite(figure.value)


@pytest.mark.parametrize(
    ("vote", "sentence"), [(0.5, "Every vote is a tie"), (1, "The same side won every vote")]
)
def test_votes_that_are_all_alike_are_told_as_a_person_would(vote: float, sentence: str) -> None:
    found = bias_habits.length_controlled(
        won=[vote] * 6, n_chars=[4, 9, 2, 7, 1, 5], n_chars_other=[5] * 6, prompts=range(6)
    )

    assert found.controlled.note.startswith(sentence)


# Swapped repeats


def test_swaps_tell_the_same_response_from_the_same_place() -> None:
    found = shares.swaps(before=[-1, -1, 1, 0, 1], after=[1, -1, 1, 0, -1])

    assert (found.consistent.value, found.first_twice.value, found.second_twice.value) == (
        0.6,
        0.2,
        0.2,
    )


def test_no_swaps_are_a_sentence() -> None:
    assert shares.swaps(before=[], after=[]).consistent.note.endswith(".")


# Flags


def pool(
    n_raters: int = 12,
    n_items: int = 80,
    habits: dict[int, str] | None = None,
    seed: int = 0,
    k: int = 4,
) -> flagging.Rankings:
    """Everybody judges every item, one every three minutes from morning; those with a habit follow
    it always.
    """
    random = np.random.default_rng(seed)
    quality, chars = (
        random.standard_normal((n_items, k)),
        random.integers(100, 3_000, (n_items, k)).astype(float),
    )
    rows: list[tuple[float, ...]] = []
    scores: dict[tuple[int, int], np.ndarray] = {}
    for rater in range(n_raters):
        habit = (habits or {}).get(rater, "")
        for item in range(n_items):
            shown = random.permutation(k)
            score = quality[item] + random.standard_normal(k)
            if (
                habit == "chance"
                or (habit == "tires" and item > 25)
                or (habit == "drifts" and item > 53)
            ):
                score = random.standard_normal(k)
            if habit == "first":
                score[shown[0]] = score.max() + 1
            if habit == "longer":
                score = chars[item]
            if habit == "copy":
                score = scores[0, item]
            scores[rater, item] = score
            # who drifts rests after every ten items, so that only the calendar tells
            at = 180.0 * item + (3_600 * (item // 10) if habit == "drifts" else 0) + 60 * rater
            active = 5.0 if habit == "fast" else 150.0
            for response in range(k):
                rank = int((score > score[response]).sum()) + 1
                place = int(np.flatnonzero(shown == response)[0])
                number = rater * n_items + item
                rows.append(
                    (
                        number,
                        item,
                        rater,
                        item * k + response,
                        rank,
                        place,
                        chars[item, response],
                        at,
                        active,
                    )
                )
    return flagging.Rankings(*(np.array(column) for column in zip(*rows, strict=True)))


@pytest.mark.parametrize("habit", ["chance", "first", "longer", "copy", "tires", "drifts", "fast"])
def test_a_habit_is_flagged_by_its_name(habit: flagging.Kind) -> None:
    found = flagging.flags(pool(habits={5: habit}))

    assert (habit, 5) in {(flag.kind, flag.rater) for flag in found}
    assert {flag.rater for flag in found} == {5}


def test_honest_raters_are_left_alone() -> None:
    flagged = sum(
        len({flag.rater for flag in flagging.flags(pool(n_raters=20, n_items=50, seed=seed))})
        for seed in range(5)
    )

    assert flagged <= 2


def test_a_flag_has_its_numbers() -> None:
    flag = next(flag for flag in flagging.flags(pool(habits={5: "first"})) if flag.kind == "first")

    assert (flag.value, flag.n) == (1.0, 80)
    assert 0.1 < flag.usual < 0.5


def test_the_copy_is_the_one_who_came_later() -> None:
    flags = [flag for flag in flagging.flags(pool(habits={5: "copy"})) if flag.kind == "copy"]

    assert [(flag.rater, flag.other) for flag in flags] == [(5, 0)]
    assert (flags[0].value, flags[0].n, flags[0].details) == (1.0, 80, {"is_later": 1.0})


@pytest.mark.parametrize("habit", ["chance", "first", "longer", "copy", "tires", "drifts", "fast"])
def test_a_flag_names_judgments_of_the_rater_s_own(habit: flagging.Kind) -> None:
    rankings = pool(habits={5: habit})
    own = set(np.asarray(rankings.judgment)[np.asarray(rankings.rater) == 5].tolist())

    flag = next(flag for flag in flagging.flags(rankings) if flag.kind == habit)

    assert flag.judgments
    assert set(flag.judgments) <= own


def test_the_judgments_behind_a_flag_are_those_that_show_it() -> None:
    found = {kind: flagging.flags(pool(habits={5: kind})) for kind in ("first", "copy", "drifts")}
    judgments = {
        kind: next(flag for flag in flags if flag.kind == kind).judgments
        for kind, flags in found.items()
    }

    everything = tuple(range(5 * 80, 6 * 80))
    assert (judgments["first"], judgments["copy"]) == (everything, everything)
    assert set(judgments["drifts"]) == set(everything[-26:])


def test_two_raters_with_one_habit_are_no_copies() -> None:
    kinds = {flag.kind for flag in flagging.flags(pool(habits={4: "longer", 5: "longer"}))}

    assert "copy" not in kinds


def test_too_few_judgments_flag_nobody() -> None:
    assert flagging.flags(pool(n_items=15, habits={5: "first", 6: "fast"})) == []


def test_pairs_are_flagged_as_rankings_are() -> None:
    found = {
        (flag.kind, flag.rater)
        for flag in flagging.flags(
            pool(n_items=150, k=2, habits={3: "first", 5: "copy", 7: "chance"})
        )
    }

    assert {("first", 3), ("copy", 5), ("chance", 7)} <= found


def test_nothing_judged_flags_nobody() -> None:
    assert flagging.flags(flagging.Rankings(*([] for _ in range(9)))) == []


@pytest.mark.parametrize("rank", [1.0, NAN], ids=["all tied", "all unranked"])
def test_rankings_that_say_nothing_flag_nobody(rank: float) -> None:
    rankings = pool(n_raters=3, n_items=30)

    assert flagging.flags(replace(rankings, rank=np.full(len(rankings.rank), rank))) == []


def test_times_that_are_not_known_are_no_pace() -> None:
    rankings = pool(habits={5: "fast"})

    assert flagging.flags(replace(rankings, active_s=np.full(len(rankings.rank), NAN))) == []


def test_a_pause_starts_a_new_sitting() -> None:
    minutes = flagging.minutes_in_sitting(np.array([0.0, 600, 1_200, 9_000, 9_060]), 1_800)

    assert minutes.tolist() == [0, 10, 20, 0, 1]
