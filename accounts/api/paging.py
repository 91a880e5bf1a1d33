"""Cursor pagination: the cursor is the id of the last row seen, so a page costs the same anywhere
in a list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import MAX_ID

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
Row = TypeVar("Row", bound=Model)


class PageQuery(serializers.Serializer[object]):
    """The query parameters of every list."""

    cursor = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_ID,
        help_text="The `next_cursor` of the previous page. Omit it for the first page.",
    )
    limit = serializers.IntegerField(
        required=False,
        default=DEFAULT_PAGE_SIZE,
        min_value=1,
        max_value=MAX_PAGE_SIZE,
        help_text="Rows per page.",
    )


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: list[Row]
    has_more: bool

    @property
    def next_cursor(self) -> int | None:
        return self.rows[-1].pk if self.rows else None


def cut(rows: Iterable[Row], *, limit: int) -> Page[Row]:
    """A page of `limit` rows; one row more shows that there are more."""
    listed = list(rows)
    return Page(listed[:limit], has_more=len(listed) > limit)


class ByCursor(BasePagination):
    """Newest first, starting below `cursor`. REST framework's CursorPagination has opaque cursors
    and links to pages; ours are ids that a client can store.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        cursor, limit = view.asked.get("cursor"), view.asked["limit"]
        older = queryset.order_by("-pk")
        if cursor is not None:
            older = older.filter(pk__lt=cursor)
        self.page = cut(older[: limit + 1], limit=limit)
        return self.page.rows

    def get_paginated_response(self, data: object) -> Response:
        cursor = self.page.next_cursor if self.page.has_more else None
        return Response({"next_cursor": cursor, "results": data})


def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> object:
    """The schema of a page of these rows."""
    name = serializer.__name__.removesuffix("Serializer")
    fields = {
        "next_cursor": serializers.IntegerField(
            allow_null=True, help_text="Null on the last page."
        ),
        "results": serializer(many=True),
    }
    # Without this, drf-spectacular describes the response as a list of pages.
    return extend_schema_serializer(many=False)(
        type(f"{name}Page", (serializers.Serializer,), fields)
    )
