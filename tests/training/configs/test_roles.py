"""The table of roles and its users: a new role is one entry, a column and a field."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from accounts.models import User
from training.configs import kinds, roles
from training.configs.knobs import OPTIONAL, REQUIRED
from training.configs.sft import SftConfig
from training.models import Run, Snapshot, TrainedModel
from training.processes import run_dir
from training.runs import run_queue
from training.runs.api.serializers import NewRunSerializer, RunSerializer
from training.runs.forms.run_form import RunForm

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
every_role = pytest.mark.parametrize("role", roles.BESIDE, ids=lambda role: role.name)


@every_role
def test_a_role_is_a_column_of_runs_and_a_field_of_the_childs_job(role: roles.Role) -> None:
    assert Run._meta.get_field(role.name).related_model is TrainedModel
    assert role.name in {field.name for field in dataclasses.fields(run_dir.Job)}


@every_role
def test_a_role_can_be_read_and_given_by_the_api(role: roles.Role) -> None:
    assert role.name in RunSerializer().fields
    assert role.name in NewRunSerializer().fields


@pytest.mark.django_db
@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_form_asks_for_the_roles_that_its_kind_takes(kind: str) -> None:
    form, takes = RunForm(kind=kind), kinds.KINDS[kind].takes

    asked = {role.name: form.fields[role.name] for role in roles.BESIDE if role.name in form.fields}

    assert {
        name: REQUIRED if field.required else OPTIONAL for name, field in asked.items()
    } == dict(takes)


@pytest.mark.django_db
def test_a_required_role_is_refused_when_it_is_empty(
    base_model: TrainedModel,
    make_snapshot: Callable[..., Snapshot],
    noor: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Watched(SftConfig):
        takes: ClassVar[Any] = {"watchdog_model": REQUIRED}

    monkeypatch.setitem(kinds.KINDS, "sft", Watched)

    with pytest.raises(run_queue.UnableToQueue) as refused:
        run_queue.queue_run(
            kind="sft",
            name="watched",
            config={},
            snapshot=make_snapshot(),
            base_model=base_model,
            by=noor,
            now=NOW,
        )

    assert str(refused.value) == "SFT needs one more model: “Watchdog”. Choose one."


def test_a_kind_that_takes_a_role_which_no_model_has_is_refused() -> None:
    class Odd(SftConfig):
        kind: ClassVar[str] = "odd"
        takes: ClassVar[Any] = {"muse_model": OPTIONAL}

    with pytest.raises(kinds.InvalidKind, match="odd takes muse_model"):
        kinds.register(Odd)
