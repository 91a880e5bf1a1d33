"""Prompts, pools, guidelines, campaigns and the feed of judgments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from preferably_client.core import Call, Listing, feed, get, messages_of, pages, post
from preferably_client.operation import listing, operation
from preferably_client.rows.labeling import (
    Campaign,
    Guideline,
    Judgment,
    JudgmentEvent,
    Pool,
    Prompt,
)


class PromptOperations:
    @listing
    def list_prompts(self, /, **wanted: Any) -> Listing[Prompt]:
        """Newest first. `wanted`: text, category, split, language, source, is_unused."""
        return pages(Prompt, "prompts", **wanted)

    @operation
    def read_prompt(self, prompt_id: int) -> Call[Prompt]:
        return get(Prompt, f"prompts/{prompt_id}")

    @operation
    def create_prompt(self, /, messages: Sequence[Mapping[str, str]], **about: Any) -> Call[Prompt]:
        """`about`: category, language, split, licence, sensitive, constraints."""
        return post(Prompt, "prompts", {"messages": messages_of(messages)} | about)


class PoolOperations:
    @listing
    def list_pools(self) -> Listing[Pool]:
        return pages(Pool, "pools")

    @operation
    def read_pool(self, pool_id: int) -> Call[Pool]:
        return get(Pool, f"pools/{pool_id}")

    @operation
    def create_pool(
        self, name: str, *, description: str = "", is_held_out: bool = False
    ) -> Call[Pool]:
        body = {"name": name, "description": description, "is_held_out": is_held_out}
        return post(Pool, "pools", body)


class GuidelineOperations:
    @listing
    def list_guidelines(self) -> Listing[Guideline]:
        return pages(Guideline, "guidelines")


class CampaignOperations:
    @listing
    def list_campaigns(self, *, state: str | None = None) -> Listing[Campaign]:
        return pages(Campaign, "campaigns", state=state)

    @operation
    def read_campaign(self, campaign_id: int) -> Call[Campaign]:
        return get(Campaign, f"campaigns/{campaign_id}")

    @operation
    def create_campaign(
        self,
        /, name: str, kind: str, *, pool: int, guideline: int, **about: Any
    ) -> Call[Campaign]:
        """Creates a draft. `about`: overlap, n_responses, lease_minutes, order, priority, prompts
        (the selection).
        """
        body = {"name": name, "kind": kind, "pool": pool, "guideline": guideline} | about
        return post(Campaign, "campaigns", body)

    @operation
    def open_campaign(self, campaign_id: int) -> Call[Campaign]:
        return post(Campaign, f"campaigns/{campaign_id}/open")

    @operation
    def pause_campaign(self, campaign_id: int) -> Call[Campaign]:
        return post(Campaign, f"campaigns/{campaign_id}/pause")

    @operation
    def close_campaign(self, campaign_id: int) -> Call[Campaign]:
        return post(Campaign, f"campaigns/{campaign_id}/close")


class JudgmentOperations:
    @listing
    def list_judgments(
        self,
        *,
        cursor: int = 0,
        campaign: int | None = None,
        since: datetime | None = None,
        includes_imports: bool = False,
    ) -> Listing[Judgment]:
        """Oldest first, from after the id `cursor` to the newest."""
        at, imports = since and since.isoformat(), includes_imports or None
        wanted = {"campaign": campaign, "since": at, "includes_imports": imports}
        return feed(Judgment, "judgments", cursor=cursor, **wanted)

    @listing
    def list_judgment_events(self, *, cursor: int = 0) -> Listing[JudgmentEvent]:
        """Judgments that stopped counting or count again, oldest first, after id `cursor`."""
        return feed(JudgmentEvent, "judgment-events", cursor=cursor)
