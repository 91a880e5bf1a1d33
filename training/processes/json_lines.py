"""JSON lines between two processes: flushed when written, and read in a thread."""

import json
import threading
from collections.abc import Callable
from typing import IO, Any, TypedDict

Json = dict[str, Any]


class PublishedFolder(TypedDict):
    """What goes to a hub: a "model" or a "dataset". `texts` are files that are not in the folder,
    or take the place of those that are.
    """

    type: str
    folder: str
    files: list[str]
    texts: dict[str, str]


class PublishJob(PublishedFolder):
    """The only line that training.trainer.modeling.publish reads."""

    repository: str
    is_private: bool


class PublishLine(TypedDict, total=False):
    """A line that it writes: how many bytes are sent, then the address or what went wrong."""

    sent: int
    total: int
    address: str
    error: str


def write(stream: IO[str], line: Json) -> None:
    stream.write(json.dumps(line) + "\n")
    stream.flush()


def listen(stream: IO[str], *, on_line: Callable[[Json], None], on_end: Callable[[], None]) -> None:
    """Calls `on_line` for each line and then `on_end`, in a daemon thread."""

    def read() -> None:
        for line in stream:
            on_line(json.loads(line))
        on_end()

    threading.Thread(target=read, name="listener", daemon=True).start()
