"""What a run of the API reads: a snapshot or, for a benchmark, suites."""

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from arithmetic import plain_text
from training.benchmarks.suites import choices
from training.benchmarks.suites import selectors as suites_selectors
from training.models import Snapshot, Suite
from training.runs import run_queue

MAX_SUITES = 100


class SuitesField(serializers.ListField):
    """Suites by id or slug."""

    child = serializers.CharField(max_length=64)

    def __init__(self, **about: Any) -> None:
        super().__init__(min_length=1, max_length=MAX_SUITES, **about)

    def to_internal_value(self, data: Any) -> list[Suite]:
        return [_suite(name) for name in super().to_internal_value(data)]


def _suite(name: str) -> Suite:
    """Raises ValidationError."""
    offered = suites_selectors.suites()
    pk = plain_text.whole_number(name)
    suite = (offered.filter(pk=pk) if pk else offered.filter(slug=name)).order_by("-pk").first()
    if suite is None:
        raise ValidationError(gettext("There is no suite “%(name)s”.") % {"name": name})
    return suite


def check(values: dict[str, Any]) -> None:
    """Raises ValidationError unless the run has either, and its kind takes it."""
    snapshot, suites = values.get("snapshot"), values.get("suites")
    if snapshot is None and not suites:
        raise ValidationError({"snapshot": serializers.Field.default_error_messages["required"]})
    if suites and not run_queue.reads_suites(values["kind"]):
        raise ValidationError({"suites": gettext("Only benchmarks and attacks take suites.")})
    if suites and snapshot is not None:
        raise ValidationError({"suites": gettext("Send suites or a snapshot, not both.")})


def outline(values: dict[str, Any]) -> Snapshot:
    """The snapshot, perhaps an unsaved one: enough to estimate the cost."""
    chosen: Snapshot | None = values.get("snapshot")
    return chosen or choices.outline(suites=values["suites"])
