"""Objects of a site with what is done to them: `site.campaigns.get(7).judgments()`."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from preferably_client import rows
from preferably_client.core import Call, Listing
from preferably_client.following import Following
from preferably_client.operation import Connected, Pending, listing, operation
from preferably_client.operations import Operations

if TYPE_CHECKING:
    from preferably_client.async_site import AsyncDriver
    from preferably_client.site import Driver

D_co = TypeVar("D_co", covariant=True)


@dataclass(frozen=True)
class Campaign(rows.Campaign, Connected[D_co]):
    """A campaign as it was when it was read."""

    _driver: D_co = field(repr=False, compare=False)

    @listing
    def judgments(
        self, *, cursor: int = 0, since: datetime | None = None, includes_imports: bool = False
    ) -> Listing[rows.Judgment]:
        """Its judgments that count, oldest first."""
        return Operations.list_judgments.describe(
            self, cursor=cursor, campaign=self.id, since=since, includes_imports=includes_imports
        )

    @operation
    def open(self) -> Call[rows.Campaign]:
        return Operations.open_campaign.describe(self, self.id)

    @operation
    def pause(self) -> Call[rows.Campaign]:
        return Operations.pause_campaign.describe(self, self.id)

    @operation
    def close(self) -> Call[rows.Campaign]:
        return Operations.close_campaign.describe(self, self.id)


@dataclass(frozen=True)
class Run(rows.Run, Connected[D_co]):
    """A run as it was when it was read."""

    _driver: D_co = field(repr=False, compare=False)

    @listing
    def follow(self, *, every_s: float = 2.0) -> Listing[rows.Point]:
        """Every point until the run has ended."""
        return Following.follow_run.describe(self, self.id, every_s=every_s)

    @listing
    def follow_log(self, *, every_s: float = 2.0) -> Listing[rows.LogLine]:
        """Every line of its log until the run has ended."""
        return Following.follow_run_log.describe(self, self.id, every_s=every_s)

    @listing
    def samples(self) -> Listing[rows.Sample]:
        return Operations.list_run_samples.describe(self, self.id)

    @operation
    def stop(self) -> Call[rows.Run]:
        return Operations.stop_run.describe(self, self.id)


@dataclass(frozen=True)
class Snapshot(rows.Snapshot, Connected[D_co]):
    """A snapshot as it was when it was read."""

    _driver: D_co = field(repr=False, compare=False)

    @listing
    def rows(
        self, *, split: Literal["train", "validation", "test"] | None = None
    ) -> Listing[dict[str, Any]]:
        """The rows of a split, in their order."""
        return Operations.list_snapshot_rows.describe(self, self.id, split=split)


class Campaigns(Connected[D_co]):
    def __init__(self, driver: D_co) -> None:
        self._driver = driver

    @overload
    def get(self: "Campaigns[Driver]", campaign_id: int) -> "Campaign[Driver]": ...
    @overload
    def get(
        self: "Campaigns[AsyncDriver]", campaign_id: int
    ) -> "Pending[Campaign[AsyncDriver]]": ...
    def get(self: Any, campaign_id: int) -> Any:
        found = Operations.read_campaign.describe(self, campaign_id)
        return self._driver.run(_as(Campaign, found, self._driver))


class Runs(Connected[D_co]):
    def __init__(self, driver: D_co) -> None:
        self._driver = driver

    @overload
    def get(self: "Runs[Driver]", run_id: int) -> "Run[Driver]": ...
    @overload
    def get(self: "Runs[AsyncDriver]", run_id: int) -> "Pending[Run[AsyncDriver]]": ...
    def get(self: Any, run_id: int) -> object:
        found = Operations.read_run.describe(self, run_id)
        return self._driver.run(_as(Run, found, self._driver))


class Snapshots(Connected[D_co]):
    def __init__(self, driver: D_co) -> None:
        self._driver = driver

    @overload
    def get(self: "Snapshots[Driver]", snapshot_id: int) -> "Snapshot[Driver]": ...
    @overload
    def get(
        self: "Snapshots[AsyncDriver]", snapshot_id: int
    ) -> "Pending[Snapshot[AsyncDriver]]": ...
    def get(self: Any, snapshot_id: int) -> object:
        found = Operations.read_snapshot.describe(self, snapshot_id)
        return self._driver.run(_as(Snapshot, found, self._driver))


def _as(record: type[Any], call: Call[Any], driver: object) -> Call[object]:
    """The same call, with the row as a record."""

    def read(raw: object) -> object:
        row = call.read(raw)
        return record(**{one.name: getattr(row, one.name) for one in fields(row)}, _driver=driver)

    return Call(call.request, read)
