"""A typed client of Preferably's REST API: `Preferably`, and `AsyncPreferably` for asyncio."""

from preferably_client.async_site import AsyncPreferably, AsyncRows
from preferably_client.problem import MissingExtra, Problem
from preferably_client.rows import *  # noqa: F403  # the rows are the package's own names
from preferably_client.rows import __all__ as _rows
from preferably_client.site import Preferably, Rows

__all__ = [
    "AsyncPreferably",
    "AsyncRows",
    "MissingExtra",
    "Preferably",
    "Problem",
    "Rows",
    *_rows,
]
