"""Web processes, workers and nodes of two releases understand each other during an upgrade."""

import inspect

import pytest

from config.celery import app
from jobs.messages import DECLARED, SHORT
from tests.upgrades import releases
from tests.upgrades.messages import record

LAST = releases.names()[-1]
LAST_MESSAGES = record.of(LAST)
SENT_AGAIN = {"training.judges.tasks.ask"}
"""New tasks whose message may be lost on a node of the last release: it drops what it does not
know, the row stays, and beat rings until a node of this release claims it.
"""


def test_the_messages_of_each_release_are_recorded() -> None:
    assert sorted(file.stem for file in record.FOLDER.glob("*.json")) == releases.names()


@pytest.mark.parametrize("task", sorted(name for name, names in LAST_MESSAGES.items() if names))
def test_a_message_of_the_last_release_is_still_taken(task: str) -> None:
    """One without arguments may be lost: beat sends it again and again, under its new name too."""
    sent = dict.fromkeys(LAST_MESSAGES[task], 1)

    assert task in record.now(), f"Keep a task called {task} until the release after this one."
    inspect.signature(app.tasks[task].run).bind(**sent)


def to_nodes() -> list[str]:
    """What is sent to workers of other machines, which take the queues of long tasks."""
    app.loader.import_default_modules()
    return sorted(name for name, message in DECLARED.items() if message.queue != SHORT)


@pytest.mark.parametrize("task", sorted({*to_nodes()} - SENT_AGAIN))
def test_a_node_of_the_last_release_understands_what_it_is_sent(task: str) -> None:
    """Nodes are upgraded last. A task that is new needs a release in which nodes know it and nobody
    sends it, so that it can be added here.
    """
    assert record.now()[task] == LAST_MESSAGES[task]


def test_a_record_says_what_the_code_says() -> None:
    found = record.now()

    assert found["training.runs.tasks.execute_run"] == ["run_id"]
    assert found["accounts.tasks.send_letters"] == ["letters"]
    assert record.as_json({"a.tasks.b": ["c", "d"], "a.tasks.e": []}) == (
        '{\n  "a.tasks.b": ["c", "d"],\n  "a.tasks.e": []\n}\n'
    )
