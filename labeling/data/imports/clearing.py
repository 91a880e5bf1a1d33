"""Deletes what a discarded import wrote, and finds what else depends on it."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import PROTECT, Exists, Manager, Model, OuterRef, QuerySet

from labeling.data.imports.rows import alias_prefix
from labeling.models import (
    Campaign,
    Demonstration,
    Import,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
)

_DELETED_AT_ONCE = 500


def delete_rows(batch: Import) -> None:
    """Delete everything an import wrote, a few hundred rows per transaction, except rows that
    others depend on.
    """
    for model in (Judgment, Campaign, Response, Prompt):
        written = _written(model).filter(import_batch=batch.pk)
        if model is Campaign:  # one with judgments that others depend on stays
            written = written.exclude(
                Exists(Judgment.versions_of_everyone.filter(campaign=OuterRef("pk")))
            )
        rows = written.order_by("pk").values_list("pk", flat=True)
        last = 0
        while pks := list(rows.filter(pk__gt=last)[:_DELETED_AT_ONCE]):
            last = pks[-1]
            with transaction.atomic():
                _written(model).filter(pk__in=set(pks) - _still_referenced(model, pks)).delete()
    Rater.people.filter(alias__startswith=alias_prefix(batch), user=None, judgments=None).delete()


# For models that point to an import's rows: the column that says that a row belongs to the import
# itself.
_OWN: dict[type[Model], str] = {
    Prompt: "import_batch",
    Response: "import_batch",
    Judgment: "import_batch",
    RankedResponse: "comparison__judgment__import_batch",
    Item: "campaign__import_batch",
    ItemResponse: "item__campaign__import_batch",
    Demonstration: "judgment__import_batch",
}


def _written(model: type[Model]) -> "Manager[Any]":
    """A hidden campaign is deleted too."""
    every: dict[type[Model], Manager[Any]] = {
        Campaign: Campaign.every,
        Judgment: Judgment.of_everyone,
    }
    return every.get(model, model._default_manager)


def is_built_on(batch: Import) -> bool:
    own = (
        (model, _written(model).filter(import_batch=batch.pk).values("pk"))
        for model in (Prompt, Response, Judgment, Campaign)
    )
    return any(rows.exists() for model, pks in own for rows, _name in _references(model, pks))


def _still_referenced(model: type[Model], pks: object) -> set[int]:
    return {
        pk for rows, name in _references(model, pks) for pk in rows.values_list(name, flat=True)
    }


def _references(model: type[Model], pks: object) -> Iterator[tuple[QuerySet[Model], str]]:
    """Rows from elsewhere, in any application, that protect rows of `model`, and the column that
    points to them.
    """
    for relation in model._meta.related_objects:
        if relation.on_delete is not PROTECT:
            continue
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": pks})
        if own := _OWN.get(relation.related_model):
            rows = rows.exclude(
                **{f"{own}__in": _written(model).filter(pk__in=pks).values("import_batch")}
            )
        yield rows, relation.field.attname
