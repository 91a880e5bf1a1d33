"""Rows of tables as JSON. A field of a RowSerializer that is not declared has the type, choices and
null of its column; of a foreign key it is the id.

Its `Meta` has, beside `model` and `fields`:

- `help_texts`: field → what callers read about it. A column's own help is about the site's pages.
- `sources`: field → column, where they differ. It may lead over foreign keys: "rater.alias".
- `inside`: the attribute with the row, if what is serialized is the row with something beside it.
"""

from copy import deepcopy
from typing import Any

from django.db import models
from rest_framework import serializers


class RowSerializer(serializers.ModelSerializer[Any]):
    # No docstring: it would describe every row in the schema that has none.

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.BigAutoField: serializers.IntegerField,
        models.BigIntegerField: serializers.IntegerField,
        models.EmailField: serializers.CharField,
        models.ForeignKey: serializers.IntegerField,
        models.SlugField: serializers.CharField,
        models.URLField: serializers.CharField,
    }

    def get_fields(self) -> dict[str, serializers.Field[object, object, object, object]]:
        declared = deepcopy(self._declared_fields)
        return {name: declared.get(name) or self._of_column(name) for name in self.Meta.fields}

    def _of_column(self, name: str) -> serializers.Field[Any, Any, Any, Any]:
        meta: Any = self.Meta
        *relations, last = getattr(meta, "sources", {}).get(name, name).split(".")
        model = meta.model
        for relation in relations:
            model = model._meta.get_field(relation).related_model
        column: Any = model._meta.get_field(last)
        source = ".".join([*getattr(meta, "inside", "").split(), *relations, column.attname])
        options = {
            "allow_null": column.null,
            "help_text": getattr(meta, "help_texts", {}).get(name),
            "source": None if source == name else source,
        }
        if column.choices:
            return serializers.ChoiceField(choices=column.choices, **options)
        if isinstance(column, models.DecimalField):
            options |= {"max_digits": column.max_digits, "decimal_places": column.decimal_places}
        if isinstance(column, models.JSONField) and column.default is dict:
            return serializers.DictField(**options)
        known = self.serializer_field_mapping
        return next(known[kind] for kind in type(column).__mro__ if kind in known)(**options)
