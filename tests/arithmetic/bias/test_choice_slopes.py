"""Features of responses, and how far choices follow them: against a plain regression and twins."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import t
from sklearn.linear_model import LogisticRegression

from arithmetic.bias import habits as bias_habits
from arithmetic.bias import looks, shares, slopes
from tests.arithmetic.test_cluster_variance import slow, slow_of_both

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


def influences_by_hand(data: dict[str, Any], fit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(how far each vote moves each slope, the variances of slopes from independent votes)"""
    design = np.column_stack([np.ones(len(data["length"])), data["length"], data["list"]])
    p = 1 / (1 + np.exp(-design @ fit))
    bread = np.linalg.inv(
        sum(
            chance * (1 - chance) * np.outer(row, row)
            for row, chance in zip(design, p, strict=True)
        )
    )
    return design * (data["first_won"] - p)[:, None] @ bread, np.diag(bread)


def test_errors_are_clustered_by_prompt_and_by_rater() -> None:
    data = clustered_choices(1, n=200)
    found = regressed(data)
    fit = np.log([effect.odds.value for effect in found.effects])
    influences, independent = influences_by_hand(data, fit)
    columns = (data["prompts"].tolist(), data["raters"].tolist(), [1.0] * 200)
    spreads = [slow_of_both(influence, *columns) for influence in influences.T]

    errors = [
        max(variance, alone) ** 0.5
        for (variance, _df), alone in zip(spreads, independent, strict=True)
    ]

    assert [effect.odds.se for effect in found.effects] == pytest.approx(errors, abs=1e-8)
    length, (variance, known) = found.effects[1].odds, spreads[1]
    df = min(len(set(data["prompts"])) - 1, known * (errors[1] ** 2 / variance) ** 2)
    assert (length.low, length.high) == pytest.approx(
        tuple(np.exp(fit[1] + np.array([-1, 1]) * t.ppf(0.975, df) * errors[1])), rel=1e-6
    )
    assert length.about == "raters_like_these"


def test_one_rater_s_choices_are_clustered_by_prompt() -> None:
    data = clustered_choices(4)
    alone = regressed(data | {"raters": np.zeros(600, dtype=int)})
    fit = np.log([effect.odds.value for effect in alone.effects])
    influences, independent = influences_by_hand(data, fit)
    by_prompt = [slow(influence, data["prompts"].tolist()) for influence in influences.T]

    expected = np.sqrt(np.maximum(by_prompt, independent))

    assert [effect.odds.se for effect in alone.effects] == pytest.approx(expected)
    assert {effect.odds.about for effect in alone.effects} == {"these_raters"}


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

    assert [one.share.value for one in found] == [1.0, 0.9]
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


@pytest.mark.slow
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
