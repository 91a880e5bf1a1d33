"""How much load there is, and which faults happen in which order."""

import random
from dataclasses import dataclass

INTERVAL = 10
"""Steps from one checkpoint to the next."""


@dataclass(frozen=True)
class Scale:
    n_in_flight: int
    n_steps: int
    pause_s: float
    n_raters: int
    n_items: int
    reap_s: int
    between_s: tuple[float, float]
    outage_s: tuple[float, float]
    """How long the database, the store and a disk stay away."""
    end_s: int
    """How long the last runs may take when the faults are over."""
    is_hurried: bool = False
    """The reaper and the ringing come every second and not every fifteen."""


FULL = Scale(
    n_in_flight=10,
    n_steps=80,
    pause_s=0.12,
    n_raters=3,
    n_items=1500,
    reap_s=30,
    between_s=(0.2, 2.0),
    outage_s=(0.5, 4.5),
    end_s=900,
)
QUICK = Scale(
    n_in_flight=3,
    n_steps=30,
    pause_s=0.1,
    n_raters=1,
    n_items=200,
    reap_s=8,
    between_s=(0.1, 0.3),
    outage_s=(0.3, 1.0),
    end_s=600,
    is_hurried=True,
)
# How often each happens among 220. With --quick each happens once in this order, slowest recovery
# first.
OFTEN = {
    "node_frozen": 4,
    "node_vanished": 8,
    "supervisor_killed": 20,
    "worker_killed": 12,
    "worker_main_killed": 8,
    "claimed_at_once": 10,
    "child_killed": 30,
    "disk_full": 8,
    "broker_wiped": 8,
    "database_killed": 8,
    "clock_jumped": 12,
    "short_killed": 8,
    "store_away": 10,
    "broker_killed": 10,
    "database_restarted": 4,
    "web_killed": 14,
    "message_lost": 12,
    "message_twice": 14,
    "beat_killed": 10,
    "connections_cut": 10,
}


def deck(n: int, chance: random.Random) -> list[str]:
    """The faults in the order in which they happen."""
    whole = [kind for kind, often in OFTEN.items() for _ in range(often)]
    drawn = chance.sample(whole, len(whole))
    return (drawn * (n // len(drawn) + 1))[:n]
