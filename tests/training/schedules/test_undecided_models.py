"""Models that raters could not tell from the current one: what becomes of them, and who hears."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Notice, User
from labeling.models import Rater
from tests.training.conftest import NOW
from tests.training.schedules import test_gate_looks, test_gates
from tests.training.schedules.chain_steps import link
from tests.training.schedules.test_gate_looks import judge_offered, outcome
from tests.training.schedules.test_gates import goes_on
from training.models import Chain, TrainedModel
from training.registry import services as registry_services

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

at_gate, looking = test_gates.at_gate, test_gate_looks.looking


@pytest.fixture
def undecided(looking: Callable[..., Chain], rosa: Rater) -> Callable[..., Chain]:
    """A chain whose gate has taken both its looks."""

    def make(**changes: Any) -> Chain:
        chain = looking(**changes)
        for _look in range(2):
            judge_offered(chain, rosa, 0.6)
            goes_on(chain)
        return chain

    return make


def test_a_schedule_that_always_begins_with_its_base_model_promises_to_go_on_from_none(
    undecided: Callable[..., Chain], begin: Callable[..., Chain], base_model: TrainedModel
) -> None:
    chain = undecided(goes_on=False)

    assert outcome(chain) == "failed"
    assert "The next chain" not in link(chain, "gate").verdict["sentence"]
    assert begin().base_model == base_model


def test_its_pages_offer_the_next_chain_which_begins_with_the_undecided_model(
    undecided: Callable[..., Chain], signed_in: Callable[[User], Client], noor: User
) -> None:
    chain = undecided()
    client = signed_in(noor)
    fire = f'action="/schedules/{chain.schedule_id}/fire"'

    for path in (f"/schedules/{chain.schedule_id}/", f"/chains/{chain.pk}/"):
        content = client.get(path).content.decode()
        assert (content.count(fire), "Run the next chain" in content) == (1, True)
        assert "/decide" not in content
    client.post(f"/schedules/{chain.schedule_id}/fire")

    newest = chain.schedule.chains.order_by("-number")[0]
    assert newest.base_model == link(chain, "gate").model
    assert "Run the next chain" not in client.get(f"/chains/{chain.pk}/").content.decode()


@pytest.mark.parametrize(
    ("keeps", "sentence"),
    [
        (True, "from the last promoted model, or from a newer one that stayed undecided."),
        (False, "from the last promoted model."),
    ],
)
def test_its_page_says_which_model_later_chains_continue_from(
    begin: Callable[..., Chain],
    signed_in: Callable[[User], Client],
    noor: User,
    *,
    keeps: bool,
    sentence: str,
) -> None:
    chain = begin("fine-tune-gate", keeps_undecided=keeps)

    content = signed_in(noor).get(f"/schedules/{chain.schedule_id}/").content.decode()

    assert f"Later chains continue {sentence}" in content


def test_after_a_change_of_the_base_model_a_new_line_begins(
    undecided: Callable[..., Chain], begin: Callable[..., Chain], noor: User
) -> None:
    chain = undecided()
    other = registry_services.register_model(
        name="other",
        kind="policy",
        location="/models/other",
        licence="MIT",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )
    schedule = chain.schedule
    schedule.plan = schedule.plan | {"base_model": other.pk}
    schedule.save(update_fields=["plan"])

    assert (outcome(chain), begin().base_model) == ("undecided", other)


def test_an_undecided_model_after_one_that_failed_is_no_second_failure(
    looking: Callable[..., Chain], undecided: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    failed = looking()
    judge_offered(failed, rosa, 0.3)
    goes_on(failed)

    chain = undecided()

    assert (outcome(failed), outcome(chain)) == ("failed", "undecided")
    said = [notice.sentence for notice in Notice.objects.filter(person=noor)]
    assert [sentence for sentence in said if "failed in a row" in sentence] == []
