"""What a schedule's page says of its newest chain, and which button is the primary one."""

import pytest

from training.models import Chain, Link
from training.schedules import verdicts
from training.schedules.gate.selectors import CheckRow, Gate

STEP = verdicts.Step(2, 5, "train a reward model")


def chain(state: str) -> Chain:
    return Chain(pk=4, number=3, state=state)


def gate(outcome: str, sentence: str, *, is_met: bool | None = True) -> Gate:
    row = CheckRow("On “facts”", "−5.0", "−9.0 to −1.0", "", is_met)
    return Gate(Link(chain_id=4), outcome, sentence, [row], True, "", [])


@pytest.mark.parametrize(
    ("state", "sentence", "button"),
    [
        ("going", "Chain 3: It is at step 2 of 5: train a reward model.", ""),
        ("approval", "Chain 3: It waits for approval of step 2 of 5: train a", "Go to chain 3"),
        ("failed", "Chain 3: It has stopped at step 2 of 5: train a reward", "Go to chain 3"),
        ("stopped", "Chain 3: It was stopped before it ended.", ""),
        ("finished", "Chain 3: It has done all its steps.", ""),
    ],
)
def test_a_schedule_says_where_its_newest_chain_is(state: str, sentence: str, button: str) -> None:
    found = verdicts.of_schedule(chain(state), STEP, None)

    assert found.sentence.startswith(sentence)
    assert (found.action.label if found.action else "") == button


def test_what_the_gate_decided_is_the_sentence_of_its_own_chain_only() -> None:
    decided = gate("failed", "Not promoted. Raters preferred it in 48 % of votes.")
    earlier = Gate(Link(chain_id=1), "passed", "Promoted.", [], False, "", [])

    own = verdicts.of_schedule(chain("finished"), None, decided)

    assert own.sentence == "Chain 3: Not promoted. Raters preferred it in 48 % of votes."
    assert "Promoted" not in verdicts.of_schedule(chain("going"), STEP, earlier).sentence
    assert verdicts.of_schedule(None, None, None).sentence == "No chain has run yet."


def test_a_promotion_is_not_offered_first_where_a_figure_missed_its_bar() -> None:
    assert gate("waits", "It fell.", is_met=False).has_missed
    assert not gate("waits", "3 answers are still missing.", is_met=None).has_missed
