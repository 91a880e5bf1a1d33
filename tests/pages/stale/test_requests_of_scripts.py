"""What a stale page sends by script fails nowhere, and stores nothing that nobody wants."""

from collections.abc import Callable, Iterator

import pytest

from labeling.models import Slot
from tests.pages.stale.presses import DRAFTS, tables_written, undone
from tests.pages.stale.requests import REQUESTS, the_item_is_released
from tests.pages.stale.scenes.cast import browser
from tests.pages.stale.scenes.desk import MEANWHILE, all_campaigns_close, the_rater_withdraws
from tests.upgrades import populate

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
EVENTS = (*MEANWHILE, the_item_is_released)


def sent(name: str, happens: Callable[[], object] | None) -> tuple[int, str, set[str]]:
    """Status, answer, and tables it wrote to: the second time, or after something happened."""
    with undone():
        request = REQUESTS[name]()
        client = browser(request.person)
        if happens:
            happens()
        else:
            request.send(client)
        with tables_written() as tables:
            answer = request.send(client)
        return answer.status_code, answer.content.decode(), tables
    raise AssertionError


def results() -> Iterator[tuple[str, str, int, str, set[str]]]:
    populate.populate()
    for name in REQUESTS:
        yield (name, "itself", *sent(name, None))
        for happens in EVENTS if name.startswith(("desk_", "turn_")) else ():
            yield (name, happens.__name__, *sent(name, happens))


def test_a_request_of_a_stale_page_stores_at_most_a_draft_and_says_what_is_gone() -> None:
    wrong = []
    for name, after, status, answer, tables in results():
        may_store = {DRAFTS} if after != the_rater_withdraws.__name__ else set()
        if after in ("itself", all_campaigns_close.__name__):
            may_store |= {Slot._meta.db_table}  # a heartbeat extends the lease, which is held
        if status >= 500 or tables - may_store:
            wrong.append(f"{name} after {after}: {status}, stores {tables}, says {answer[:200]}")
        if name.endswith("_heartbeat") and "released" in after and "is_gone" not in answer:
            wrong.append(f"{name} after {after} says {answer[:200]}")

    assert not wrong, "\n".join(wrong)
