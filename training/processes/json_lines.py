"""JSON lines between two processes: flushed when written, and read in a thread."""

import json
import threading
from collections.abc import Callable
from typing import IO, Any

Json = dict[str, Any]


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
