"""Settings are declared once, and the tables have room for them."""

import pytest
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model

from knobs.fields import Knob, knobs_of
from labeling.data.exports import shapes
from labeling.kinds import registry
from labeling.kinds.conversation import TalkSettings
from labeling.models import Campaign, ConversationPlan

COLUMNS = [
    *((Campaign, knob) for kind in registry.KINDS.values() for knob in kind.knobs()),
    *((ConversationPlan, knob) for knob in knobs_of(TalkSettings)),
]


def test_every_kind_of_the_table_is_declared() -> None:
    assert registry.KINDS.keys() == set(Campaign.Kind.values)


@pytest.mark.parametrize(("table", "knob"), COLUMNS)
def test_a_setting_is_a_column_with_its_default(table: type[Model], knob: Knob) -> None:
    column = table._meta.get_field(knob.name)

    assert column.get_default() == knob.default
    assert column.null == knob.is_optional


@pytest.mark.parametrize(("table", "knob"), COLUMNS)
def test_a_column_takes_every_value_within_the_limits_of_its_setting(
    table: type[Model], knob: Knob
) -> None:
    limits = {
        validator.code: validator.limit_value
        for validator in table._meta.get_field(knob.name).validators
        if isinstance(validator, MinValueValidator | MaxValueValidator)
    }

    if "max_value" in limits and knob.type is not str and knob.max is not None:
        assert limits["max_value"] >= knob.max
    if "min_value" in limits and knob.min is not None:
        assert limits["min_value"] <= knob.min


def test_every_shape_of_exports_is_offered_by_some_kind() -> None:
    offered = {shape for kind in registry.KINDS.values() for shape in kind.shapes}

    assert offered == set(shapes.SHAPES)


def test_what_may_change_in_an_open_campaign_differs_by_kind() -> None:
    open_only = {name: set(kind.names(while_open=True)) for name, kind in registry.KINDS.items()}
    work = {"overlap", "lease_minutes", "priority", "review_share", "budget_unit", "budget"}
    shared = work | {"shows_thinking"}
    asked = {"asks_strength", "asks_reason"}

    assert open_only["demonstration"] == shared | {"min_words", "max_words"}
    assert open_only["conversation"] == shared | asked
    assert open_only["comparison"] == shared | asked | {"max_overlap", "confidence"}
