"""Methods that a blocking site and an asyncio site share. A method describes its call once; on a
`Preferably` it returns the result, on an `AsyncPreferably` an awaitable of it.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from preferably_client.core import Call, Download, Listing

if TYPE_CHECKING:
    from preferably_client.async_site import AsyncDriver, AsyncRows
    from preferably_client.site import Driver, Rows

P = ParamSpec("P")
T = TypeVar("T")
D_co = TypeVar("D_co", covariant=True)
Pending = Coroutine[Any, Any, T]
"""What an asyncio site returns: await it for the result."""


class Connected(Generic[D_co]):
    """Has a driver, which runs the calls that its methods describe."""

    _driver: D_co


class operation(Generic[P, T]):  # noqa: N801  # a decorator
    """A method that describes one call."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self.describe, self.__doc__ = describe, describe.__doc__

    @overload
    def __get__(self, at: None, owner: type) -> Self: ...
    @overload
    def __get__(self, at: "Connected[Driver]", owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, at: "Connected[AsyncDriver]", owner: type) -> Callable[P, Pending[T]]: ...
    def __get__(self, at: Any, owner: type) -> object:
        return self if at is None else _bound(self.describe, at, at._driver.run)


class download(Generic[P]):  # noqa: N801  # a decorator
    """A method that describes a download. Returns the number of bytes."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Download]) -> None:
        self.describe, self.__doc__ = describe, describe.__doc__

    @overload
    def __get__(self, at: None, owner: type) -> Self: ...
    @overload
    def __get__(self, at: "Connected[Driver]", owner: type) -> Callable[P, int]: ...
    @overload
    def __get__(self, at: "Connected[AsyncDriver]", owner: type) -> Callable[P, Pending[int]]: ...
    def __get__(self, at: Any, owner: type) -> object:
        return self if at is None else _bound(self.describe, at, at._driver.download)


class listing(Generic[P, T]):  # noqa: N801  # a decorator
    """A method that describes rows from any number of calls. They are read as they are used."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Listing[T]]) -> None:
        self.describe, self.__doc__ = describe, describe.__doc__

    @overload
    def __get__(self, at: None, owner: type) -> Self: ...
    @overload
    def __get__(self, at: "Connected[Driver]", owner: type) -> "Callable[P, Rows[T]]": ...
    @overload
    def __get__(self, at: "Connected[AsyncDriver]", owner: type) -> "Callable[P, AsyncRows[T]]": ...
    def __get__(self, at: Any, owner: type) -> object:
        return self if at is None else _bound(self.describe, at, at._driver.rows)


def _bound(
    describe: Callable[..., object], at: object, run: Callable[[object], object]
) -> Callable[..., object]:
    @wraps(describe)
    def method(*args: object, **kwargs: object) -> object:
        return run(describe(at, *args, **kwargs))

    return method
