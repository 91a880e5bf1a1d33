"""Every write to the labeling tables, one transaction each, one module a noun."""

from labeling.services.campaigns import (
    UnableToCreateCampaign,
    close_campaign,
    create_campaign,
    open_campaign,
    pause_campaign,
)
from labeling.services.guidelines import acknowledge, create_guideline, new_guideline_version
from labeling.services.imports import UnableToImport, clear_import, discard, publish, run_import, start_import, start_upload
from labeling.services.judgments import (
    Edit,
    UnableToSubmit,
    UnableToUndo,
    correct_comparison,
    correct_demonstration,
    submit_comparison,
    submit_demonstration,
    undo,
)
from labeling.services.people import (
    add_raters,
    change_person,
    create_person,
    create_pool,
    edit_pool,
    remove_raters,
)
from labeling.services.prompts import create_prompt
from labeling.services.quality import compute_quality, readmit_rater, withdraw_rater
from labeling.services.questions import answer_question, ask_about
from labeling.services.slots import claim, heartbeat, release, save_draft, skip

__all__ = [
    "Edit",
    "UnableToCreateCampaign",
    "UnableToImport",
    "UnableToSubmit",
    "UnableToUndo",
    "acknowledge",
    "add_raters",
    "answer_question",
    "ask_about",
    "change_person",
    "claim",
    "clear_import",
    "close_campaign",
    "compute_quality",
    "correct_comparison",
    "correct_demonstration",
    "create_campaign",
    "create_guideline",
    "create_person",
    "create_pool",
    "create_prompt",
    "discard",
    "edit_pool",
    "heartbeat",
    "new_guideline_version",
    "open_campaign",
    "pause_campaign",
    "publish",
    "readmit_rater",
    "release",
    "remove_raters",
    "run_import",
    "save_draft",
    "skip",
    "start_import",
    "start_upload",
    "submit_comparison",
    "submit_demonstration",
    "undo",
    "withdraw_rater",
]
