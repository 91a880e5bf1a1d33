"""Schedules, and the chains of runs that they start."""

from typing import Any

from preferably_client.core import Call, Listing, get, pages, post
from preferably_client.operation import listing, operation
from preferably_client.rows.schedules import Chain, Schedule


class ScheduleOperations:
    @listing
    def list_schedules(self) -> Listing[Schedule]:
        return pages(Schedule, "schedules")

    @operation
    def read_schedule(self, schedule_id: int) -> Call[Schedule]:
        return get(Schedule, f"schedules/{schedule_id}")

    @operation
    def create_schedule(
        self,
        /, name: str, template: str, *, base_model: int, **about: Any
    ) -> Call[Schedule]:
        """`template`: the kind of chain, such as weekly. `about`: the fields of its page, and
        `settings` by kind of run, such as {"sft": "preset:small"}. Omitted fields take the page's
        initial value.
        """
        body = {"name": name, "template": template, "base_model": base_model} | about
        return post(Schedule, "schedules", body)

    @operation
    def change_schedule(self, /, schedule_id: int, **wanted: Any) -> Call[Schedule]:
        """`wanted`: the arguments of create_schedule except the template. Omitted fields keep their
        value.
        """
        return post(Schedule, f"schedules/{schedule_id}/change", wanted)

    @operation
    def pause_schedule(self, schedule_id: int) -> Call[Schedule]:
        return post(Schedule, f"schedules/{schedule_id}/pause")

    @operation
    def resume_schedule(self, schedule_id: int) -> Call[Schedule]:
        return post(Schedule, f"schedules/{schedule_id}/resume")

    @operation
    def fire_schedule(self, schedule_id: int) -> Call[Schedule]:
        return post(Schedule, f"schedules/{schedule_id}/fire")


class ChainOperations:
    @listing
    def list_chains(
        self, *, schedule: int | None = None, state: str | None = None
    ) -> Listing[Chain]:
        """`state`: "approval" for those that need approval."""
        return pages(Chain, "chains", schedule=schedule, state=state)

    @operation
    def read_chain(self, chain_id: int) -> Call[Chain]:
        return get(Chain, f"chains/{chain_id}")

    @operation
    def approve_chain(self, chain_id: int) -> Call[Chain]:
        """Approves the pending step; at a gate, promotes the model."""
        return post(Chain, f"chains/{chain_id}/approve")

    @operation
    def decide_chain(self, chain_id: int, *, promotes: bool) -> Call[Chain]:
        return post(Chain, f"chains/{chain_id}/decide", {"promotes": promotes})

    @operation
    def resume_chain(self, chain_id: int, *, anew: bool = False) -> Call[Chain]:
        """Retries the failed step. With `anew`, discards what its stopped run saved."""
        return post(Chain, f"chains/{chain_id}/resume", {"anew": anew})

    @operation
    def stop_chain(self, chain_id: int) -> Call[Chain]:
        """Ends it for good, also while it needs approval."""
        return post(Chain, f"chains/{chain_id}/stop")
