"""Forms that may be sent again by a stale tab, and why. By URL name; each of them is pressed."""

_NEW = "each time another one: nothing that the page showed is changed"
ADDS = dict.fromkeys(
    [
        *("token_new", "webhook_new", "campaign_new", "red_teaming_new", "export", "prompt_new"),
        *("hub_import_new", "person_new", "step_new", "pool_new"),
        *("guideline_new", "run_new", "snapshot_new", "model_new", "model_endpoint_new"),
        *("suite_new", "schedule_new", "run_extend", "run_suite_raters", "run_attacks_raters"),
        *("suite_found_attacks", "curation_rate", "model_keep", "pool_crowd"),
        *("export_publish", "model_publish", "campaign_gold_import", "my_pay"),
        *("desk_ask", "turn_ask"),
    ],
    _NEW,
)
ASKS_AGAIN = {
    "crowd": "logs the same worker in",
    "crowd_prolific_check": "another look at Prolific",
    "invitations": "the same address gets another link, in place of the first",
    "person_invite": "another mail; the link in it works once",
    "run_score_again": "computes the same figures again",
}
"""Asks for what nobody has seen yet, once more."""
STORES_NOTHING = {"campaign_preview", "campaign_quality_compute"}
ANYWAY = {
    ("conversation_finish", "desk_release"): "nobody else has taken it meanwhile",
    ("curation_restore", "curation_discard"): "it is about the next time that the recipe runs",
    ("curation_restore", "curation_snapshot"): "the same",
    ("curation_restore", "curation_update"): "the same",
    ("turn_release", "turn_regenerate"): "it is about the whole conversation",
    ("turn_skip", "turn_regenerate"): "the same",
}
"""Buttons that still do what their page said, though a page opened later does not offer them:
(button, what happened before).
"""
SHOWS_AGAIN = {("red_teaming_new", "more")}
"""Buttons that only show the form once more, with another row: nobody asked to store anything."""
BESIDE = {
    "answers_import": "names for an import that has started: the page that answers shows its own",
    "campaign_take_back": "a button beside one answer in the form of a decision",
    "campaign_review_expert": "the same",
    "join": "one's own name",
}
"""Forms that send texts along which nobody misses."""
HERE = {
    "campaign_judge_new": "tests/training/judges/test_pages.py",
    "campaign_judge_start": "the same",
    "campaign_judge_stop": "the same",
    "campaign_judge_trust": "tests/training/judges/test_trust_pages.py",
    "campaign_judge_switch": "the same",
    "campaign_judge_sparing": "tests/training/judges/test_sparing_pages.py",
    "chain_decide": "it names the verdict it shows: tests/training/schedules/test_gates.py",
    "import_new": "its page asks for a preview first: labeling/data/test_import_previews.py",
    "onboarding_step": "it names the versions it shows: people/test_onboarding_pages.py",
    "pay_mark": "test_acts.py",
    "roster_act": "test_acts.py",
    "run_ask_for_comparison": "one notice an admin: runs/pages/test_comparison_requests.py",
    "run_revisions_raters": "once a run: tests/training/revisions/test_revisions.py",
    "session_end": "a log-in, whose rows are not compared",
    "set_language": "the language of one's own pages: the last choice counts",
    "train_on_campaign": "one chain from two tabs: train_on_campaign/test_train_page.py",
    "storage_free": "tests/training/storage/test_storage_pages.py",
}
"""Pressed in another test, or about oneself only."""
