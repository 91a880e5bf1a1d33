"""Where a loop's time goes: how long each part takes, and what share of the machine's cores is idle
meanwhile.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

_COUNTERS = Path("/proc/stat")


@dataclass(frozen=True)
class Part:
    name: str
    seconds: float
    idle: float | None
    """share of all cores' time; None where the system has no such counters"""


@dataclass
class LoopClock:
    """Each part ends where the next one begins."""

    parts: list[Part] = field(default_factory=list)
    _name: str = ""
    _since: float = 0.0
    _before: tuple[int, int] = (0, 0)

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._since, self._before = name, time.monotonic(), counters()

    def end(self) -> None:
        if not self._name:
            return
        idle, total = (now - then for now, then in zip(counters(), self._before, strict=True))
        share = idle / total if total else None
        self.parts.append(Part(self._name, time.monotonic() - self._since, share))
        self._name = ""


def counters() -> tuple[int, int]:
    """(idle, total) ticks of all cores since the machine started; zeros where unknown."""
    if not _COUNTERS.exists():
        return 0, 0
    first = _COUNTERS.read_text().split("\n", 1)[0]
    ticks = [int(number) for number in first.split()[1:9]]  # the rest is counted in these too
    return ticks[3] + ticks[4], sum(ticks)


def idle_share(parts: list[Part]) -> float | None:
    known = [part for part in parts if part.idle is not None]
    total = sum(part.seconds for part in known)
    return sum(part.seconds * (part.idle or 0) for part in known) / total if total else None
