"""How a vLLM server shares out its cards among copies of a model."""

import pytest

from training.configs.cost import estimates
from training.configs.cost.replicas import Replicas, UnableToReplicate, divides, memory, replicas
from training.configs.cost.sizes import GIB, OVERHEAD_BYTES, Shape

SMOL = {"hidden_size": 576, "num_hidden_layers": 30, "vocab_size": 49152}
SMOL |= {"num_attention_heads": 9, "num_key_value_heads": 3, "intermediate_size": 1536}
SEVEN = {"hidden_size": 3584, "num_hidden_layers": 28, "vocab_size": 152064}
SEVEN |= {"num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944}
SEVEN |= {"tie_word_embeddings": False}
SEVENTY = {"hidden_size": 8192, "num_hidden_layers": 80, "vocab_size": 128256}
SEVENTY |= {"num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672}
SEVENTY |= {"tie_word_embeddings": False}


def shape(config: dict[str, int]) -> Shape:
    known = estimates.shape_of(config)
    assert known is not None
    return known


def shared(config: dict[str, int], n_cards: int, card_gb: float = 80) -> Replicas:
    return replicas(shape(config), n_cards=n_cards, card_gb=card_gb, max_tokens=1280)


@pytest.mark.parametrize("n_cards", range(1, 8))
@pytest.mark.parametrize("config", [SMOL, SEVEN])
def test_a_model_that_fits_on_a_card_has_a_copy_on_each(
    config: dict[str, int], n_cards: int
) -> None:
    assert shared(config, n_cards) == Replicas(n_cards, 1)


@pytest.mark.parametrize(
    ("n_cards", "card_gb", "expected"),
    [
        (2, 80, Replicas(1, 2)),
        (4, 80, Replicas(2, 2)),
        (6, 80, Replicas(3, 2)),
        (4, 48, Replicas(1, 4)),
        (8, 24, Replicas(1, 8)),
    ],
)
def test_a_larger_one_is_divided_among_as_few_cards_as_hold_it(
    n_cards: int, card_gb: float, expected: Replicas
) -> None:
    assert shared(SEVENTY, n_cards, card_gb) == expected


def test_a_model_or_card_of_unknown_size_counts_as_one_that_fits() -> None:
    assert replicas(None, n_cards=3, card_gb=80, max_tokens=8) == Replicas(3, 1)
    assert shared(SEVENTY, 3, 0) == Replicas(3, 1)


@pytest.mark.parametrize(
    ("config", "n_cards", "card_gb", "sentence"),
    [
        (SEVENTY, 7, 80, r"among 1 of them \(64 attention heads, 8 heads for keys and values\)"),
        (SEVENTY, 6, 40, r"among 1 / 2 of them .* need [\d.]+ GB of the 36 GB"),
        (SEVEN, 3, 12, "3 cards of 12 GB"),
    ],
)
def test_one_that_no_division_makes_fit_is_refused(
    config: dict[str, int], n_cards: int, card_gb: float, sentence: str
) -> None:
    with pytest.raises(UnableToReplicate, match=sentence):
        shared(config, n_cards, card_gb)


@pytest.mark.parametrize("n_cards", range(1, 33))
@pytest.mark.parametrize("config", [SMOL, SEVEN, SEVENTY, SMOL | {"intermediate_size": 1537}])
def test_a_model_is_divided_as_vllm_can(config: dict[str, int], n_cards: int) -> None:
    """Card by card: whose heads, which heads of keys and values they read, which part between."""
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]

    def part(width: int, card: int) -> range | None:
        return range(card * width // n_cards, (card + 1) * width // n_cards)

    possible = heads % n_cards == 0 and config["intermediate_size"] % n_cards == 0
    for card in range(n_cards if possible else 0):
        of_card = range(card * heads // n_cards, (card + 1) * heads // n_cards)
        read = {head * kv // heads for head in of_card}
        possible = possible and len(read) == max(1, kv // n_cards)
        possible = possible and (kv % n_cards == 0 or n_cards % kv == 0)

    assert divides(shape(config), n_cards) == possible


def test_a_shape_without_heads_is_not_divided() -> None:
    """As an earlier release stored it."""
    old = Shape(1000, 8, 1, 16, 8, 64)

    assert [divides(old, n) for n in (1, 2)] == [True, False]


def test_the_memory_of_a_card_is_its_weights_and_sixteen_full_sequences() -> None:
    """By hand: 70.6 billion weights of 2 bytes on 4 cards; 8 of 32 KB a token, layer and card."""
    held = memory(shape(SEVENTY), 4, max_tokens=1000, precision=2)

    weights = 70_553_706_496 * 2 / 4
    cache = sum(2 * (2 * 128) * 2 for _layer in range(80)) * 1000 * 16
    assert held == weights + cache + OVERHEAD_BYTES
    assert held / GIB == pytest.approx(35, abs=1)
