"""Fields used by several serializers."""

from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from pages.form_parts import refuse_control_characters

MAX_ID = 2**63 - 1


class Flag(serializers.BooleanField):
    """A strict boolean: only true or false, none of the values that a form would send."""

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Text(serializers.CharField):
    """Strict text: a number is refused, which other text fields take for its digits."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Name(Text):
    """The name of an object."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(refuse_control_characters)


class Id(serializers.IntegerField):
    """The id of a row, which need not exist."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class OneOf(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a row in `rows`."""

    default_error_messages = {
        "does_not_exist": _("No object has the ID {pk_value}."),
        "incorrect_type": _("Enter an ID (a whole number)."),
    }

    def __init__(self, rows: QuerySet[Model], **options: Any) -> None:
        super().__init__(queryset=rows, pk_field=Id(), **options)

    def to_internal_value(self, data: object) -> Model:
        # The id is parsed by the inner field, which has its own messages about numbers.
        row: Model = super().to_internal_value(data)
        return row


class Several(serializers.ListField):
    """Ids of rows in `rows`. Becomes the rows, read at once."""

    def __init__(self, rows: QuerySet[Model], *, most: int = 1000, **options: Any) -> None:
        self.rows = rows
        super().__init__(child=Id(), max_length=most, **options)

    def to_internal_value(self, data: Any) -> list[Model]:
        ids = list(dict.fromkeys(super().to_internal_value(data)))
        rows = self.rows.in_bulk(ids)
        unknown = [pk for pk in ids if pk not in rows]
        if unknown:
            sentence = gettext("No object has the ID %(pk)s. Remove it and send the rest.")
            raise ValidationError([sentence % {"pk": pk} for pk in unknown[:20]])
        return [rows[pk] for pk in ids]
