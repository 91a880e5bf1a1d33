"""Long lists, a page at a time: the number is in the address."""

from typing import TYPE_CHECKING, TypeVar

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.core.paginator import _SupportsPagination

T = TypeVar("T")


def shown(request: HttpRequest, rows: "_SupportsPagination[T]", *, size: int) -> "Page[T]":
    """The page that was asked for; the nearest one if there is none of that number."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
