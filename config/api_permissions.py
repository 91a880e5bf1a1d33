"""Who may use which part of the REST API, and with which scope of a token. Calls missing from the
table are closed.
"""

from dataclasses import dataclass
from enum import StrEnum

from config.roles import ADMIN, RESEARCHER, STAFF, Role


class Scope(StrEnum):
    """What a token may be used for, within the roles of its person."""

    LABELING_READ = "labeling:read"
    LABELING_WRITE = "labeling:write"
    TRAINING_READ = "training:read"
    TRAINING_WRITE = "training:write"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True)
class Grant:
    """A call is allowed when the token has the scope (a session has them all) and its person has
    one of the roles.
    """

    scope: Scope
    roles: frozenset[Role]


_LABELING_READ = Grant(Scope.LABELING_READ, ADMIN)
_LABELING_WRITE = Grant(Scope.LABELING_WRITE, ADMIN)
_TRAINING_READ = Grant(Scope.TRAINING_READ, RESEARCHER)
_TRAINING_WRITE = Grant(Scope.TRAINING_WRITE, RESEARCHER)
_WEBHOOKS = Grant(Scope.WEBHOOKS, ADMIN)

# "METHOD url_name" → what it requires. Raters have no entry: the API reveals sources and database
# ids, which would break blinding.
API_TABLE: dict[str, Grant] = {
    "GET api_prompts": _LABELING_READ,
    "POST api_prompts": _LABELING_WRITE,
    "GET api_prompt": _LABELING_READ,
    "GET api_pools": _LABELING_READ,
    "POST api_pools": _LABELING_WRITE,
    "GET api_pool": _LABELING_READ,
    "GET api_guidelines": _LABELING_READ,
    "GET api_campaigns": _LABELING_READ,
    "POST api_campaigns": _LABELING_WRITE,
    "GET api_campaign": _LABELING_READ,
    "POST api_campaign_open": _LABELING_WRITE,
    "POST api_campaign_pause": _LABELING_WRITE,
    "POST api_campaign_close": _LABELING_WRITE,
    "GET api_judgments": Grant(Scope.LABELING_READ, STAFF),
    "GET api_judgment_events": Grant(Scope.LABELING_READ, STAFF),
    "GET api_snapshots": _TRAINING_READ,
    "POST api_snapshots": _TRAINING_WRITE,
    "GET api_snapshot": _TRAINING_READ,
    "GET api_snapshot_ledger": _TRAINING_READ,
    "POST api_snapshot_restore": _TRAINING_WRITE,
    "GET api_curations": _TRAINING_READ,
    "POST api_curations": _TRAINING_WRITE,
    "GET api_curation": _TRAINING_READ,
    "POST api_curation_snapshot": _TRAINING_WRITE,
    "POST api_curation_update_preview": _TRAINING_WRITE,
    "POST api_curation_discard": _TRAINING_WRITE,
    "GET api_curation_ledger": _TRAINING_READ,
    "POST api_curation_restore": _TRAINING_WRITE,
    "GET api_restored_documents": _TRAINING_READ,
    "GET api_restored_document": _TRAINING_READ,
    "POST api_restored_document_undo": _TRAINING_WRITE,
    "GET api_suites": _TRAINING_READ,
    "POST api_suites": _TRAINING_WRITE,
    "GET api_suite": _TRAINING_READ,
    "POST api_suite_retire": _TRAINING_WRITE,
    "POST api_suite_bring_back": _TRAINING_WRITE,
    "GET api_runs": _TRAINING_READ,
    "POST api_runs": _TRAINING_WRITE,
    "GET api_run": _TRAINING_READ,
    "GET api_run_points": _TRAINING_READ,
    "GET api_run_samples": _TRAINING_READ,
    "GET api_run_log": _TRAINING_READ,
    "POST api_run_stop": _TRAINING_WRITE,
    "POST api_run_kill": _TRAINING_WRITE,
    "POST api_run_retry": _TRAINING_WRITE,
    "POST api_run_estimate": _TRAINING_READ,
    "POST api_run_extend": _TRAINING_WRITE,
    "POST api_run_move": _TRAINING_WRITE,
    "POST api_run_priority": _TRAINING_WRITE,
    "POST api_run_pin": _TRAINING_WRITE,
    "POST api_run_unpin": _TRAINING_WRITE,
    "POST api_run_give_up": _TRAINING_WRITE,
    "POST api_model_pin": _TRAINING_WRITE,
    "POST api_model_unpin": _TRAINING_WRITE,
    "GET api_webhooks": _WEBHOOKS,
    "POST api_webhooks": _WEBHOOKS,
    "GET api_webhook": _WEBHOOKS,
    "PATCH api_webhook": _WEBHOOKS,
    "DELETE api_webhook": _WEBHOOKS,
    "POST api_webhook_disable": _WEBHOOKS,
    "POST api_webhook_enable": _WEBHOOKS,
    "GET api_webhook_deliveries": _WEBHOOKS,
    "GET api_delivery": _WEBHOOKS,
    "POST api_delivery_redeliver": _WEBHOOKS,
    "POST api_webhook_rotate": _WEBHOOKS,
    "POST api_webhook_end_secret": _WEBHOOKS,
    "GET api_schedules": _TRAINING_READ,
    "POST api_schedules": _TRAINING_WRITE,
    "GET api_schedule": _TRAINING_READ,
    "POST api_schedule_change": _TRAINING_WRITE,
    "POST api_schedule_pause": _TRAINING_WRITE,
    "POST api_schedule_resume": _TRAINING_WRITE,
    "POST api_schedule_fire": _TRAINING_WRITE,
    "GET api_chains": _TRAINING_READ,
    "GET api_chain": _TRAINING_READ,
    "POST api_chain_approve": _TRAINING_WRITE,
    "POST api_chain_decide": _TRAINING_WRITE,
    "POST api_chain_resume": _TRAINING_WRITE,
    "POST api_chain_stop": _TRAINING_WRITE,
    "GET api_models": _TRAINING_READ,
    "POST api_models": _TRAINING_WRITE,
    "GET api_model": _TRAINING_READ,
    "GET api_model_archive": _TRAINING_READ,
    "POST api_model_change": _TRAINING_WRITE,
    "GET api_model_card": _TRAINING_READ,
    "GET api_model_scorecard": _TRAINING_READ,
    "GET api_model_publications": _TRAINING_READ,
    "POST api_model_publications": _TRAINING_WRITE,
    "GET api_publication": _TRAINING_READ,
}
