"""The schedule's form in three steps: few fields are open, and a group opens when it has to."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Guideline, Pool
from tests.html import page_of
from tests.training import cast
from training.models import TrainedModel
from training.schedules.forms.schedule import ScheduleForm
from training.schedules.plans.chain_plans import TEMPLATES

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
MOST_OPEN = 12


@pytest.fixture
def model(noor: User) -> TrainedModel:
    return cast.a_model(noor)


@pytest.fixture
def noors(signed_in: SignIn, noor: User, model: TrainedModel) -> Client:
    return signed_in(noor)


def form_of(client: Client, path: str) -> ScheduleForm:
    form: ScheduleForm = client.get(path).context["form"]
    return form


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_field_is_in_one_step_and_at_most_twelve_are_open(
    noors: Client, template: str
) -> None:
    form = form_of(noors, f"/schedules/new/{template}/")
    steps = (form.what, form.when, form.afterwards)

    is_open = [field.name for step in steps for field in step.fields]
    closed = [
        field.name
        for step in steps
        for group in step.groups
        for field in group.fields
        if not group.is_open
    ]

    assert Counter(is_open + closed) == Counter(dict.fromkeys(form.fields, 1))
    assert len(is_open) <= MOST_OPEN


def test_the_page_draws_each_field_once_and_closes_every_group(noors: Client) -> None:
    page = noors.get("/schedules/new/weekly/")

    shown = Counter(re.findall(r'<(?:input|select)[^>]* id="id_([a-z_]+)"', page.content.decode()))
    form = page.context["form"]

    assert {name for name in form.fields if "choices" not in dir(form.fields[name])} <= set(shown)
    assert set(shown.values()) == {1}
    assert "closed-group" in page.content.decode()
    assert not re.search(r'closed-group"\s+open', page.content.decode())


def test_a_group_with_a_mistake_is_open_and_keeps_what_was_typed(
    noors: Client, model: TrainedModel
) -> None:
    page = noors.post(
        "/schedules/new/fine-tune/",
        {"name": "Mondays", "base_model": model.pk, "trigger": "hand", "n_gpus": "-3"},
    )

    groups = {group.title: group.is_open for group in page.context["form"].what.groups}

    assert page.status_code == 422
    assert groups["Hardware"] is True
    assert 'value="-3"' in page.content.decode()


def test_a_group_with_another_value_than_its_default_is_open(noors: Client) -> None:
    form = form_of(noors, "/schedules/new/dpo/?n_looks=2&config_dpo=preset:small")

    groups = [*form.what.groups, *form.afterwards.groups]

    assert {group.title for group in groups if group.is_open} == {
        "Settings of the runs",
        "Gate: when the new model becomes the current one",
    }


def test_name_model_and_raters_are_proposed_and_no_name_twice(
    noors: Client, model: TrainedModel, day_shift: Pool, guideline: Guideline
) -> None:
    names = ("base_model", "pool", "guideline")
    form = form_of(noors, "/schedules/new/dpo/")
    assert form["name"].value() == "DPO"
    assert [form[name].value() for name in names] == [model.pk, day_shift.pk, guideline.pk]

    sent = {
        field.name: field.value()
        for field in form
        if field.value() is not None and field.value() is not False
    }
    assert noors.post("/schedules/new/dpo/", sent).status_code == 302

    assert form_of(noors, "/schedules/new/dpo/")["name"].value() == "DPO (2)"


def test_the_steps_of_the_chain_follow_the_form(noors: Client) -> None:
    form = form_of(noors, "/schedules/new/weekly/")
    sent = {
        field.name: field.value()
        for field in form
        if field.value() is not None and field.value() is not False
    }

    def shown(**changes: object) -> str:
        plan = noors.get(
            "/schedules/new/weekly/",
            sent | changes,
            headers={"HX-Request": "1", "HX-Target": "plan"},
        )
        return page_of(plan)

    assert "Gate: does the new model" in shown()
    assert "benchmark" not in shown()
    assert "Second reward model" in shown()
    assert "Gate" not in shown(ending="nothing")
    assert "Second reward model" not in shown(config_ppo="preset:small")
