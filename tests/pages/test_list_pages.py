"""Long lists, a page at a time."""

import pytest
from django.test import RequestFactory

from pages import list_pages


@pytest.mark.parametrize(
    ("number", "rows"), [("2", [3, 4]), ("", [1, 2]), ("x", [1, 2]), ("9", [5])]
)
def test_the_number_in_the_address_chooses_the_page(number: str, rows: list[int]) -> None:
    request = RequestFactory().get("/", {"page": number})

    page = list_pages.shown(request, [1, 2, 3, 4, 5], size=2)

    assert list(page) == rows
