"""Figures of a report as JSON: the numbers of the pages, each with its interval and count."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from arithmetic.figures import Figure
from labeling.votes.arrays import as_figure

_PARTS = {"value", "n", "low", "high", "note"}


class FigureSerializer(serializers.Serializer[object]):
    """A number with its 95 % interval."""

    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(help_text="What it was computed from.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    note = serializers.SerializerMethodField(
        help_text="Why there is no value or no interval, as a sentence."
    )
    about = serializers.CharField(
        help_text=(
            "Whom the interval is about: `raters_like_these` (what other raters of this kind would"
            " say), or `these_raters` (too few for that). Empty for other figures."
        ),
    )

    def get_note(self, figure: Figure) -> str:
        return gettext(figure.note) if figure.note else ""


class FiguresField(serializers.DictField):
    """Figures by name."""

    child = FigureSerializer()

    def to_representation(self, value: Mapping[str, object]) -> dict[str, object]:
        return {name: FigureSerializer(figure).data for name, figure in value.items()}


def figures_of(record: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures among the values of a stored record, by name."""
    return {name: as_figure(value) for name, value in record.items() if _is_figure(value)}


def as_json(record: Any) -> object:
    """A stored record of any shape, with the notes of its figures translated."""
    if _is_figure(record):
        return dict(FigureSerializer(as_figure(record)).data)
    if isinstance(record, Mapping):
        return {name: as_json(value) for name, value in record.items()}
    if isinstance(record, list):
        return [as_json(value) for value in record]
    return record


def _is_figure(record: object) -> bool:
    return isinstance(record, Mapping) and record.keys() >= _PARTS
