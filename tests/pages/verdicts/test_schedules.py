"""What a schedule's page says of its newest chain, and which button is the primary one."""

import pytest

from pages.verdicts import Action
from training.models import Chain, Link
from training.schedules import verdicts
from training.schedules.gate.selectors import CheckRow, Gate

STEP = verdicts.Step(2, 5, "train a reward model")


def chain(state: str) -> Chain:
    return Chain(pk=4, number=3, state=state, schedule_id=8)


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


def test_after_an_undecided_gate_the_newest_chain_offers_the_next_one_and_no_promotion() -> None:
    undecided = gate("undecided", "Undecided, not promoted. The next chain goes on from it.")

    on_schedule = verdicts.of_schedule(chain("finished"), None, undecided)
    on_chain = verdicts.of_chain(chain("finished"), None, undecided, is_newest=True)
    of_an_earlier_one = verdicts.of_chain(chain("finished"), None, undecided)

    for found in (on_schedule, on_chain):
        assert found.action == Action("Run the next chain", "/schedules/8/fire", is_act=True)
        assert found.others == ()
    assert of_an_earlier_one.action is None


@pytest.mark.parametrize("outcome", ["passed", "failed", "waits"])
def test_a_gate_that_decided_or_waits_for_a_person_offers_no_next_chain(outcome: str) -> None:
    found = verdicts.of_chain(chain("finished"), None, gate(outcome, "So."), is_newest=True)

    assert found.action is None


def test_a_promotion_is_not_offered_first_where_a_figure_missed_its_bar() -> None:
    assert gate("waits", "It fell.", is_met=False).has_missed
    assert not gate("waits", "3 answers are still missing.", is_met=None).has_missed
