"""The form field that chooses the suites of a benchmark run, and what their snapshot would hold."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from pages.numbers import grouped
from training.benchmarks.suites import freeze, selectors
from training.models import Snapshot, Suite


class _ByArea(ModelChoiceIterator):  # type: ignore[type-arg]
    """Groups of (area, suites). The rows are in the order of their areas."""

    def __iter__(self) -> Iterator[Any]:
        for area, suites in groupby(self.queryset, key=lambda suite: suite.area):
            yield capfirst(Suite.Area(area).label), [self.choice(suite) for suite in suites]


class SuitesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Checkboxes of all suites that are not retired, by area."""

    iterator = _ByArea

    def __init__(self, *, goals_only: bool = False, **about: object) -> None:
        """`goals_only`: suites with something that a model should refuse."""
        widget = forms.CheckboxSelectMultiple()
        widget.template_name = "training/suites/_choices.html"
        offered = selectors.with_goals() if goals_only else selectors.suites()
        super().__init__(queryset=offered, widget=widget, **about)
        self.error_messages["required"] = _("Choose at least one suite.")

    def label_from_instance(self, obj: Suite) -> str:
        n_items = ngettext("%(n)s item", "%(n)s items", obj.n_items) % {"n": grouped(obj.n_items)}
        return f"{obj} · {n_items}"


def outline(*, suites: Iterable[Suite]) -> Snapshot:
    """The snapshot of these suites, or before there is one, an unsaved one with its counts: enough
    to estimate the cost of a run.
    """
    chosen = sorted(suites, key=lambda suite: suite.pk)
    n_items = sum(suite.n_items for suite in chosen)
    counts = [{"suite": size.pk, "kind": size.kind, "n_items": size.n_items} for size in chosen]
    made = Snapshot.objects.filter(
        kind=Snapshot.Kind.SUITES, filters=freeze.filters_of(chosen)
    ).order_by("-pk")
    return made.first() or Snapshot(
        kind=Snapshot.Kind.SUITES,
        n_rows=n_items,
        card={"prompts": n_items, "splits": {"train": 0, "test": n_items}, "suites": counts},
    )
