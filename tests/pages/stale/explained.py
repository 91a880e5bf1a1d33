"""Why a form may be sent again by a stale tab, or is walked elsewhere. By URL name."""

_NEW = "each time another one: nothing that the page showed is changed"
_NOTHING = "nothing is stored"
ADDS = dict.fromkeys(
    [
        *("token_new", "webhook_new", "campaign_new", "red_teaming_new", "export", "prompt_new"),
        *("answers_import", "import_new", "hub_import_new", "person_new", "step_new", "pool_new"),
        *("guideline_new", "run_new", "snapshot_new", "model_new", "model_endpoint_new"),
        *("suite_new", "schedule_new", "run_extend", "run_suite_raters", "run_attacks_raters"),
        *("suite_found_attacks", "curation_rate", "model_keep", "invitations", "pool_crowd"),
        *("export_publish", "model_publish", "campaign_gold_import", "my_pay", "crowd"),
    ],
    _NEW,
)
AGAIN_IS_HARMLESS = {
    "desk_submit": "a draft of one's own: nothing counts before it is submitted",
    "desk_correct": "the same; a correction names the version that it corrects",
    "guideline_edit": "the same text once more as a new version, which changes nothing",
    "invitation_resend": "the newest link is the one that works, and the page says so",
    "person_invite": "another mail; the link in it works once",
    "run_first": "it is first already, and stays it",
    "run_move": "one place further, and the page that answers shows where it is now",
}
STORES_NOTHING = dict.fromkeys(
    [
        *("campaign_count", "campaign_preview", "campaign_preview_text", "desk_preview"),
        *("run_cost", "campaign_quality", "model_ask", "model_answer_stop"),
    ],
    _NOTHING,
)
_TALK = "tests/labeling/desk/conversations/test_stale_tabs.py"
_DESK = (
    "a lease ends once, and a draft has its number: tests/labeling/desk/test_drafts_and_leases.py"
)
_PROLIFIC = "Prolific refuses it in another state, and sums are confirmed: people/prolific"
_CURATION = "a curation is queued from one state only: tests/training/snapshots/curation"
_ONCE = "done once: the second time finds nothing to do"
ELSEWHERE = {
    **dict.fromkeys(
        [
            *("attack_end", "conversation_finish", "conversation_start", "conversation_write"),
            *("turn_ask", "turn_draft", "turn_heartbeat", "turn_regenerate", "turn_release"),
            *("turn_skip", "turn_submit"),
        ],
        _TALK,
    ),
    **dict.fromkeys(
        ["desk_ask", "desk_draft", "desk_heartbeat", "desk_release", "desk_undo"], _DESK
    ),
    **dict.fromkeys(
        [
            *("crowd_prolific", "crowd_prolific_act", "crowd_prolific_approve"),
            *("crowd_prolific_bonus", "crowd_prolific_check", "crowd_prolific_places"),
            *("prolific_bonus_discard", "prolific_bonus_pay", "prolific_bonus_resend"),
            "prolific_submission",
        ],
        _PROLIFIC,
    ),
    **dict.fromkeys(
        [
            *("curation_discard", "curation_recipe_undo", "curation_restore"),
            *("curation_snapshot", "curation_update", "snapshot_restore"),
        ],
        _CURATION,
    ),
    **dict.fromkeys(
        [
            *("crowd_finish", "crowd_leave", "join", "import_publish", "my_guideline_read"),
            *("person_two_factor_off", "person_unlink", "session_end", "campaign_discard"),
            *("pool_add", "pool_remove", "campaign_gold_use", "campaign_rater_resume"),
            *("webhook_redeliver", "run_score_again"),
        ],
        _ONCE,
    ),
    "onboarding_step": "it names the versions it shows: people/test_onboarding_pages.py",
    "storage_free": "it names what it lists, and each is checked again: test_storage_pages.py",
    "chain_decide": "it names the verdict it shows: tests/training/schedules/test_gates.py",
    "pay_answer": "the first answer counts, and another is shown back: test_acts.py",
    "pay_mark": "test_acts.py",
    "prompt_edit": "test_acts.py",
    "roster_act": "test_acts.py",
}
"""Where it is tested, or why it needs no test."""
BESIDE = {"campaign_take_back", "campaign_review_expert"}
"""Buttons beside one answer in the form of a decision, which they do not send."""
