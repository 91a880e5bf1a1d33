"""How alike texts are: against runs of letters as sets, and MinHash against what theory says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arithmetic.similarity import Hashes, MinHash, jaccard, run_hashes, shingles, skeleton


def hashes(*values: int) -> Hashes:
    return np.array(values, dtype=np.uint64)


def test_a_skeleton_has_no_case_width_or_punctuation() -> None:
    assert skeleton("  Ｗhat's UP?! ") == skeleton("what s up") == "what s up"


def test_a_text_of_signs_alone_keeps_them() -> None:
    assert skeleton(" ?! ") == "?!"


def test_vowel_signs_are_letters() -> None:
    assert skeleton("किताब") != skeleton("कतब")


def test_jaccard_by_hand() -> None:
    assert jaccard(hashes(1, 2, 3), hashes(2, 3, 4)) == 0.5
    assert jaccard(hashes(), hashes()) == 0


@given(st.text(min_size=25), st.text(min_size=25))
def test_hashed_shingles_are_as_near_as_the_runs_of_letters_they_stand_for(a: str, b: str) -> None:
    runs_a, runs_b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (a, b))

    assert jaccard(shingles(a), shingles(b)) == len(runs_a & runs_b) / len(runs_a | runs_b)


def test_a_run_has_the_same_hash_wherever_it_stands() -> None:
    one, other = run_hashes(hashes(7, 8, 9, 1), 3), run_hashes(hashes(2, 7, 8, 9), 3)

    assert one[0] == other[1]
    assert one[1] != other[0]
    assert len(run_hashes(hashes(7, 8), 3)) == 0


def test_pairs_share_a_key_as_often_as_theory_says() -> None:
    """1 − (1 − s^rows)^n_bands; for s = 1/2 in 4 bands of 2, .684. Of 2,000 pairs, four standard
    deviations are .042.
    """
    random = np.random.default_rng(4)
    minhash = MinHash(n_bands=4, rows=2)
    n_sharing = 0
    for _ in range(2_000):
        drawn = np.unique(random.integers(0, 2**63, 60, dtype=np.uint64))
        one, other = minhash.values([drawn[:45], drawn[15:]])
        n_sharing += not set(minhash.keys(one)).isdisjoint(minhash.keys(other))

    assert abs(n_sharing / 2_000 - (1 - (1 - 0.5**2) ** 4)) < 0.042


def test_equal_values_in_two_bands_are_different_keys() -> None:
    minhash = MinHash(n_bands=2, rows=2)

    assert len(set(minhash.keys(np.array([5, 6, 5, 6], dtype=np.uint32)))) == 2


def test_an_empty_set_has_no_keys() -> None:
    minhash = MinHash(n_bands=2, rows=2)

    values = minhash.values([hashes(), hashes(1, 2)])

    assert [len(minhash.keys(of)) for of in values] == [0, 2]


def test_keys_stay_those_that_are_stored() -> None:
    """Databases hold keys of every prompt: with others, no stored prompt would be found again."""
    minhash = MinHash(n_bands=24, rows=7)

    keys = minhash.keys(minhash.values([shingles("what is the tallest mountain on earth")])[0])

    assert keys[:2] == [-4074092342596538589, -3076659146061529247]
