"""Who may open which URL, and what the REST API lets whom do: the two tables. What is not here is closed to everybody.

Whether a person may see one *object* is decided next door, in labeling.access and training.access.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ANYONE = "anyone"
    """Signed in or not."""
    MEMBER = "member"
    """Signed in, whatever the roles."""
    RATER = "rater"
    ADMIN = "admin"
    RESEARCHER = "researcher"
    SUPERUSER = "superuser"


ANYONE = frozenset({Role.ANYONE})
MEMBER = frozenset({Role.MEMBER})
RATER = frozenset({Role.RATER})
ADMIN = frozenset({Role.ADMIN})
RESEARCHER = frozenset({Role.RESEARCHER})
NOBODY: frozenset[Role] = frozenset()
STAFF = ADMIN | RESEARCHER
SUPERUSER = frozenset({Role.SUPERUSER})

# URL name (namespace:name) → who may. "namespace:*" covers a third-party namespace.
TABLE: dict[str, frozenset[Role]] = {
    "home": MEMBER,
    "healthz": ANYONE,
    "set_language": ANYONE,
    "profile": MEMBER,
    "token_new": STAFF,
    "token_revoke": STAFF,
    "styleguide": ANYONE,  # outside production only
    "admin:*": SUPERUSER,
    # django-allauth
    "account_login": ANYONE,
    "account_logout": ANYONE,
    "account_signup": ANYONE,  # closed by accounts.adapter.ClosedSignup
    "account_inactive": ANYONE,
    "account_reauthenticate": MEMBER,
    "account_change_password": MEMBER,
    "account_set_password": MEMBER,
    "account_reset_password": ANYONE,
    "account_reset_password_done": ANYONE,
    "account_reset_password_from_key": ANYONE,
    "account_reset_password_from_key_done": ANYONE,
    # An admin says which address a login has, so these pages of allauth are not ours.
    "account_email": NOBODY,
    "account_confirm_email": NOBODY,
    "account_email_verification_sent": NOBODY,
    "account_confirm_login_code": NOBODY,
    # people
    "people": ADMIN,
    "person_new": ADMIN,
    "person": ADMIN,
    "person_invite": ADMIN,
    "roster": ADMIN,
    "roster_act": ADMIN,
    "rater_skills": ADMIN,
    "crowd": ANYONE,  # whoever a platform sends
    "crowd_done": RATER,
    "crowd_finish": RATER,
    "crowd_leave": RATER,
    "pool_crowd": ADMIN,
    "pool_crowd_close": ADMIN,
    "onboarding": RATER,
    "onboarding_step": RATER,
    "my_skills": RATER,
    "my_care": RATER,
    "pool_onboarding": ADMIN,
    "step_new": ADMIN,
    "step_edit": ADMIN,
    "step_move": ADMIN,
    "step_retire": ADMIN,
    "attempt": ADMIN,
    "pay": ADMIN,
    "pay_csv": ADMIN,
    "pay_rater": ADMIN,
    "pay_rater_csv": ADMIN,
    "pay_mark": ADMIN,
    "pay_answer": ADMIN,
    "pool_rates": ADMIN,
    "my_pay": RATER,
    "my_pay_csv": RATER,
    "join": ANYONE,  # whoever holds an invitation's link
    # the rater's desk
    "desk": RATER,
    "desk_next": RATER,
    "desk_item": RATER,
    "desk_draft": RATER,
    "desk_heartbeat": RATER,
    "desk_submit": RATER,
    "desk_skip": RATER,
    "desk_ask": RATER,
    "desk_undo": RATER,
    "desk_correct": RATER,
    "desk_release": RATER,
    "desk_guideline": RATER,
    "desk_diff": RATER,
    "desk_preview": RATER,
    "my_work": RATER,
    "my_appeal": RATER,
    "my_guidelines": RATER,
    "my_guideline": RATER | ADMIN,
    "my_guideline_read": RATER,
    # the admin's campaigns, pools, guidelines and prompts
    "campaigns": ADMIN,
    "campaign_new": ADMIN,
    "campaign_count": ADMIN,
    "campaign": ADMIN,
    "campaign_items": ADMIN,
    "campaign_item": ADMIN,
    "campaign_set_up": ADMIN,
    "campaign_open": ADMIN,
    "campaign_pause": ADMIN,
    "campaign_close": ADMIN,
    "campaign_reopen": ADMIN,
    "campaign_change": ADMIN,
    "campaign_preview": ADMIN,
    "campaign_preview_guideline": ADMIN,
    "campaign_preview_diff": ADMIN,
    "campaign_preview_text": ADMIN,
    "export": ADMIN,
    "questions": ADMIN,
    "answer_question": ADMIN,
    "question_own": ADMIN,
    "queues": ADMIN,
    "queue": ADMIN,
    "case_own": ADMIN,
    "case_settle": ADMIN,
    "prompt_edit": ADMIN,
    "prompt_retire": ADMIN,
    "prompt_upsetting": ADMIN,
    "campaign_agreement": ADMIN,
    "campaign_bias": ADMIN,
    "campaign_bias_judgments": ADMIN,
    "campaign_quality": ADMIN,
    "campaign_rater": ADMIN,
    "quality": ADMIN,
    "campaign_gold": ADMIN,
    "campaign_gold_settings": ADMIN,
    "campaign_gold_import": ADMIN,
    "campaign_gold_use": ADMIN,
    "campaign_gold_retire": ADMIN,
    "campaign_gold_bring_back": ADMIN,
    "campaign_rater_pause": ADMIN,
    "campaign_rater_resume": ADMIN,
    "campaign_review": ADMIN,
    "campaign_review_item": ADMIN,
    "campaign_review_expert": ADMIN,
    "campaign_set_aside": ADMIN,
    "campaign_take_back": ADMIN,
    "appeals": ADMIN,
    "appeal_answer": ADMIN,
    "rater": ADMIN,
    "rater_withdraw": ADMIN,
    "rater_readmit": ADMIN,
    "withdrawal": STAFF,
    "audit": ADMIN,
    "webhooks": ADMIN,
    "webhook_new": ADMIN,
    "webhook": ADMIN,
    "webhook_disable": ADMIN,
    "webhook_enable": ADMIN,
    "webhook_delete": ADMIN,
    "webhook_redeliver": ADMIN,
    "webhook_rotate": ADMIN,
    "webhook_end_secret": ADMIN,
    "pools": ADMIN,
    "pool_new": ADMIN,
    "pool": ADMIN,
    "pool_edit": ADMIN,
    "pool_add": ADMIN,
    "pool_remove": ADMIN,
    "pool_pause": ADMIN,
    "pool_resume": ADMIN,
    "invitations": ADMIN,
    "invitation_resend": ADMIN,
    "invitation_revoke": ADMIN,
    "guidelines_manage": ADMIN,
    "guideline_new": ADMIN,
    "guideline_history": ADMIN,
    "guideline_edit": ADMIN,
    "prompts": ADMIN,
    "prompt_new": ADMIN,
    "prompt": ADMIN,
    "imports": ADMIN,
    "import_new": ADMIN,
    "import_detail": ADMIN,
    "import_publish": ADMIN,
    "import_discard": ADMIN,
    # the researcher's runs, models and snapshots
    "runs": RESEARCHER,
    "run_cost": RESEARCHER,
    "run_extend": RESEARCHER,
    "run_move": RESEARCHER,
    "run_log": RESEARCHER,
    "run_archive": RESEARCHER,
    "run_pin": RESEARCHER,
    "model_pin": RESEARCHER,
    "storage": RESEARCHER,
    "storage_free": RESEARCHER,
    "run_new": RESEARCHER,
    "run": RESEARCHER,
    "run_fragment": RESEARCHER,
    "run_stop": RESEARCHER,
    "run_retry": RESEARCHER,
    "snapshots": RESEARCHER,
    "snapshot_new": RESEARCHER,
    "snapshot": RESEARCHER,
    "models": RESEARCHER,
    "model_new": RESEARCHER,
    "model": RESEARCHER,
    "model_edit": RESEARCHER,
    "model_responses": RESEARCHER,
    "model_archive": RESEARCHER,
    "model_publish": RESEARCHER,
    "model_publications": RESEARCHER,
    "model_endpoint_new": RESEARCHER,
    "model_try": RESEARCHER,
    "model_ask": RESEARCHER,
    "model_answer": RESEARCHER,
    "model_answer_stop": RESEARCHER,
    "model_keep": RESEARCHER,
    "model_kept": RESEARCHER,
    # what starts by itself, where it runs, and what became of it
    "run_compare": RESEARCHER,
    "run_first": RESEARCHER,
    "run_describe": RESEARCHER,
    "schedules": RESEARCHER,
    "schedule_new": RESEARCHER,
    "schedule": RESEARCHER,
    "schedule_edit": RESEARCHER,
    "schedule_pause": RESEARCHER,
    "schedule_resume": RESEARCHER,
    "schedule_fire": RESEARCHER,
    "chain": RESEARCHER,
    "chain_approve": RESEARCHER,
    "chain_resume": RESEARCHER,
    "chain_stop": RESEARCHER,
    "nodes": RESEARCHER,
    "node_drain": RESEARCHER,
    "node_resume": RESEARCHER,
    "node_forget": RESEARCHER,
    "notices": MEMBER,
    "notices_read": MEMBER,
    "notices_mail": MEMBER,
    "notice_open": MEMBER,
    # The REST API answers a token or a session itself, by API_TABLE below.
    "api_schema": ANYONE,
    "api_docs": STAFF,
    "api_nothing": ANYONE,
    "api_prompts": ANYONE,
    "api_prompt": ANYONE,
    "api_pools": ANYONE,
    "api_pool": ANYONE,
    "api_guidelines": ANYONE,
    "api_campaigns": ANYONE,
    "api_campaign": ANYONE,
    "api_campaign_open": ANYONE,
    "api_campaign_pause": ANYONE,
    "api_campaign_close": ANYONE,
    "api_judgments": ANYONE,
    "api_snapshots": ANYONE,
    "api_snapshot": ANYONE,
    "api_runs": ANYONE,
    "api_run": ANYONE,
    "api_run_points": ANYONE,
    "api_run_stop": ANYONE,
    "api_run_retry": ANYONE,
    "api_run_estimate": ANYONE,
    "api_run_extend": ANYONE,
    "api_run_move": ANYONE,
    "api_run_priority": ANYONE,
    "api_run_pin": ANYONE,
    "api_run_unpin": ANYONE,
    "api_model_pin": ANYONE,
    "api_model_unpin": ANYONE,
    "api_webhooks": ANYONE,
    "api_webhook": ANYONE,
    "api_webhook_rotate": ANYONE,
    "api_webhook_end_secret": ANYONE,
    "api_schedules": ANYONE,
    "api_schedule": ANYONE,
    "api_schedule_pause": ANYONE,
    "api_schedule_resume": ANYONE,
    "api_schedule_fire": ANYONE,
    "api_models": ANYONE,
    "api_model": ANYONE,
    "api_model_archive": ANYONE,
}


class Scope(StrEnum):
    """What a token may be used for. It opens nothing that the roles of its person do not."""

    LABELING_READ = "labeling:read"
    LABELING_WRITE = "labeling:write"
    TRAINING_READ = "training:read"
    TRAINING_WRITE = "training:write"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True)
class Grant:
    """A call is let through when the token has the scope (a session has them all) and its person one of the roles."""

    scope: Scope
    roles: frozenset[Role]


_LABELING_READ = Grant(Scope.LABELING_READ, ADMIN)
_LABELING_WRITE = Grant(Scope.LABELING_WRITE, ADMIN)
_TRAINING_READ = Grant(Scope.TRAINING_READ, RESEARCHER)
_TRAINING_WRITE = Grant(Scope.TRAINING_WRITE, RESEARCHER)
_WEBHOOKS = Grant(Scope.WEBHOOKS, ADMIN)

# "METHOD url_name" → what it takes. Raters have no line: the API tells sources and database ids, which would end their blindness.
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
    "GET api_snapshots": _TRAINING_READ,
    "POST api_snapshots": _TRAINING_WRITE,
    "GET api_snapshot": _TRAINING_READ,
    "GET api_runs": _TRAINING_READ,
    "POST api_runs": _TRAINING_WRITE,
    "GET api_run": _TRAINING_READ,
    "GET api_run_points": _TRAINING_READ,
    "POST api_run_stop": _TRAINING_WRITE,
    "POST api_run_retry": _TRAINING_WRITE,
    "POST api_run_estimate": _TRAINING_READ,
    "POST api_run_extend": _TRAINING_WRITE,
    "POST api_run_move": _TRAINING_WRITE,
    "POST api_run_priority": _TRAINING_WRITE,
    "POST api_run_pin": _TRAINING_WRITE,
    "POST api_run_unpin": _TRAINING_WRITE,
    "POST api_model_pin": _TRAINING_WRITE,
    "POST api_model_unpin": _TRAINING_WRITE,
    "GET api_webhooks": _WEBHOOKS,
    "GET api_webhook": _WEBHOOKS,
    "POST api_webhook_rotate": _WEBHOOKS,
    "POST api_webhook_end_secret": _WEBHOOKS,
    "GET api_schedules": _TRAINING_READ,
    "GET api_schedule": _TRAINING_READ,
    "POST api_schedule_pause": _TRAINING_WRITE,
    "POST api_schedule_resume": _TRAINING_WRITE,
    "POST api_schedule_fire": _TRAINING_WRITE,
    "GET api_models": _TRAINING_READ,
    "POST api_models": _TRAINING_WRITE,
    "GET api_model": _TRAINING_READ,
    "GET api_model_archive": _TRAINING_READ,
}
