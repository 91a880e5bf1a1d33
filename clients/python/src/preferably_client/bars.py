"""Progress bars for long lists and files, on standard error. Without them nothing is shown."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from preferably_client.optional import optional


class Bar(Protocol):
    def update(self, n: int) -> object: ...


class Silent:
    def update(self, n: int) -> None:
        """Shows nothing."""


class Bars:
    """Starts no bar."""

    def start(self, unit: str, *, total: int | None = None) -> AbstractContextManager[Bar]:
        return nullcontext(Silent())


class TqdmBars(Bars):
    def start(self, unit: str, *, total: int | None = None) -> AbstractContextManager[Bar]:
        bar: AbstractContextManager[Bar] = optional("tqdm.auto", extra="progress").tqdm(
            unit=unit, total=total, unit_scale=unit == "B", leave=False
        )
        return bar


def bars_of(is_wanted: bool) -> Bars:
    return TqdmBars() if is_wanted else Bars()
