"""Webhooks and their messages."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Webhook:
    id: int
    name: str
    url: str
    events: list[str]
    old_secret_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True)
class WebhookSecret:
    """Only returned once. Until `old_secret_until`, messages are also signed with the previous
    secret; None for a new webhook.
    """

    id: int
    secret: str
    old_secret_until: datetime | None


@dataclass(frozen=True)
class Delivery:
    """One message to a webhook. `state` is `waiting`, `delivered` or `given_up`, `message` is the
    header `webhook-id`, `answer` is the result of the last attempt.
    """

    id: int
    webhook: int
    message: str
    event: str
    body: str
    state: str
    n_attempts: int
    answer: str
    due_at: datetime
    created_at: datetime
    tried_at: datetime | None
