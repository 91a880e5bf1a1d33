"""Posts pages of the desk like a browser without JavaScript."""

import json
from collections.abc import Callable
from typing import Any

from django.test import Client

from labeling.models import Campaign, Rater, Slot

SignedIn = Callable[..., Client]


def slot_of(rater: Rater) -> Slot:
    return Slot.objects.get(rater=rater, state=Slot.State.LEASED)


def start(client: Client, campaign: Campaign) -> str:
    """The address of the item that `campaign` hands out."""
    return str(client.post(f"/desk/{campaign.pk}/next")["Location"])


def comparison(**changes: Any) -> dict[str, Any]:
    """A posted page that ranks B › A = C › D, contradicts no rating, and was read long enough."""
    fields: dict[str, Any] = {"step": "submit", "record": json.dumps({"active_s": 90})}
    for letter, rank, overall in (("A", 2, 5), ("B", 1, 6), ("C", 2, 5), ("D", 4, 1)):
        fields |= {f"rank-{letter}": rank, f"rate-{letter}-overall": overall}
    return fields | changes


def words(n: int) -> str:
    return "word " * n
