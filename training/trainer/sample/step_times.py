"""What the steps of a run spend their time on, by the clock. That is right on a GPU too, where each
part ends with a read of what it computed. It costs microseconds a step.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator

from training.configs.metrics import ELSE, WAITING

WRITING, MEASURING, UPDATING = "writing", "measuring", "updating"


class StepTimes:
    """Seconds by part since the process began its first step. Parts may lie in one another."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.waited = 0.0
        """seconds in which no thread of the process ran: it waited for a server, for another
        process, or for its turn on the machine"""
        self._first, self._last = 0.0, 0.0
        self._inside = [0.0]

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        began, ran = time.monotonic(), time.process_time()
        self._first = self._first or began
        self._inside.append(0.0)
        try:
            yield
        finally:
            self._last = time.monotonic()
            took = self._last - began
            self.seconds[name] += took - self._inside.pop()
            self._inside[-1] += took
            if len(self._inside) == 1:
                self.waited += max(0.0, took - (time.process_time() - ran))

    def shares(self) -> dict[str, float]:
        """Of the time from the first step to the last; nothing if there was none."""
        total = self._last - self._first
        if not total:
            return {}
        shares = {f"{name}_share": seconds / total for name, seconds in self.seconds.items()}
        rest = max(0.0, 1 - sum(shares.values()))
        return shares | {ELSE: rest, WAITING: self.waited / total}
