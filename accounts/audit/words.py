"""Words for the codes in the audit log: actions, object types, and values before and after."""

import re
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# The log stores codes. A code without an entry here is shown as it is.
ACTION_WORDS = {
    "accept": _("Accept"),
    "accept_upsetting": _("Opt in to upsetting content"),
    "add_raters": _("Add raters"),
    "add_responses": _("Add responses"),
    "add_step": _("Add a step"),
    "adjudicate": _("Adjudicate"),
    "answer": _("Answer a question"),
    "answer_appeal": _("Answer an appeal"),
    "approve": _("Approve"),
    "ask_return": _("Ask to return"),
    "bring_back": _("Restore"),
    "change": _("Change"),
    "change_password": _("Change password"),
    "close": _("Close"),
    "create": _("Create"),
    "cut": _("Create a snapshot"),
    "decide": _("Decide"),
    "delete": _("Delete"),
    "ask_for_comparison": _("Ask for comparison"),
    "describe": _("Describe"),
    "disable": _("Disable"),
    "discard": _("Discard"),
    "download": _("Download"),
    "drain": _("Drain"),
    "enable": _("Enable"),
    "end_secret": _("Revoke the old secret"),
    "end_sessions": _("Log out elsewhere"),
    "export": _("Export"),
    "fire": _("Start a chain"),
    "forget": _("Forget"),
    "free": _("Free disk space"),
    "import": _("import"),
    "import_golds": _("Import gold items"),
    "invite": _("Invite"),
    "keep": _("Save from a conversation"),
    "kill": _("Force stop"),
    "link": _("Link a login"),
    "log_in": _("Log in"),
    "log_in_failed": _("Failed log-in"),
    "mark_upsetting": _("Mark upsetting content"),
    "new_recovery_codes": _("New recovery codes"),
    "new_version": _("New version"),
    "own": _("Take over"),
    "passkey_added": _("Add a passkey"),
    "passkey_removed": _("Remove a passkey"),
    "pause": _("Pause"),
    "pause_raters": _("Pause raters"),
    "pay": _("Mark as paid"),
    "pay_bonus": _("Pay bonuses"),
    "prepare_bonus": _("Prepare bonuses"),
    "publish": _("Publish"),
    "queue": _("Add to queue"),
    "read_attacks": _("Read attacks"),
    "read_conversations": _("Read conversations"),
    "read_feed": _("Read judgments"),
    "read_responses": _("Read responses"),
    "read_rows": _("Read rows"),
    "readmit": _("Readmit"),
    "redeliver": _("Send again"),
    "register": _("Register"),
    "reject": _("Reject"),
    "remove_raters": _("Remove raters"),
    "reorder": _("Move to front"),
    "resend": _("Send again"),
    "resume": _("Resume"),
    "resume_raters": _("Resume raters"),
    "retire": _("Retire"),
    "retry": _("Retry"),
    "review": _("Review"),
    "revoke": _("Revoke"),
    "revoke_tokens": _("Revoke API tokens"),
    "rotate": _("New secret"),
    "score": _("Score"),
    "send": _("Send to raters"),
    "set_aside": _("Set aside"),
    "set_rate": _("Set a rate"),
    "settle": _("Resolve"),
    "skills": _("Set skills"),
    "start": _("Start"),
    "stop": _("Stop"),
    "take_back": _("Take back"),
    "trust": _("Trust"),
    "two_factor_off": _("Turn off two-factor authentication"),
    "two_factor_on": _("Turn on two-factor authentication"),
    "unlink": _("Unlink logins"),
    "use": _("Use for training"),
    "use_golds": _("Use gold items"),
    "warn": _("Warn"),
    "withdraw": _("Withdraw"),
    "state:draft": _("State: draft"),
    "state:open": _("State: open"),
    "state:paused": _("State: paused"),
    "state:closed": _("State: closed"),
}
TYPE_WORDS = {
    "accounts.apitoken": _("API token"),
    "accounts.webhook": _("Webhook"),
    "labeling.adjudication": _("Adjudication"),
    "labeling.campaign": _("Campaign"),
    "labeling.case": _("Case"),
    "labeling.crowdlink": _("Crowd link"),
    "labeling.gold": _("Gold item"),
    "labeling.guideline": _("Guideline"),
    "labeling.judgment": _("Judgment"),
    "labeling.judgmentreview": _("Review"),
    "labeling.import": _("import"),
    "labeling.invitation": _("Invitation"),
    "labeling.onboardingstep": _("Onboarding step"),
    "labeling.paydispute": _("Dispute"),
    "labeling.pool": _("Pool"),
    "labeling.prolificbonusbatch": _("Bonuses on Prolific"),
    "labeling.prolificstudy": _("Study on Prolific"),
    "labeling.prolificsubmission": _("Submission on Prolific"),
    "labeling.prompt": _("Prompt"),
    "labeling.itemquestion": _("Question"),
    "labeling.rater": _("Rater"),
    "labeling.setaside": _("Answer set aside"),
    "labeling.stepattempt": _("Attempt"),
    "training.chain": _("Chain"),
    "training.curation": _("Curation"),
    "training.judge": _("AI judge"),
    "training.node": _("Node"),
    "training.restoreddocument": _("Restored document"),
    "training.run": _("Run"),
    "training.schedule": _("Schedule"),
    "training.snapshot": _("Snapshot"),
    "training.trainedmodel": _("Model"),
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\S*")


def of_action(action: str) -> str:
    """“add raters” for add_raters, “state: open” for state:open."""
    return str(ACTION_WORDS.get(action, action.replace("_", " ").replace(":", ": ")))


def of_type(name: str) -> str:
    """“campaign” for labeling.campaign. A table that no longer exists keeps its technical name."""
    if name in TYPE_WORDS:
        return str(TYPE_WORDS[name])
    model = _model(name)
    return name if model is None else str(model._meta.verbose_name)


def of_name(type_name: str, name: str) -> str:
    """The field's label on its form. Without one, “items” for n_items, or “plan · base model” for
    plan.base_model.
    """
    if "." in name:
        return " · ".join(of_name(type_name, part) for part in name.split("."))
    field = _field(type_name, name)
    if field is not None and field.verbose_name != field.name.replace("_", " "):
        return str(field.verbose_name)
    return name.removeprefix("is_").removeprefix("n_").replace("_", " ")


def of_value(type_name: str, name: str, value: Any) -> str | None:
    """Times in the reader's time zone, choices by label, bytes as file sizes."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(str(of_value(type_name, name, entry)) for entry in value) or "–"
    if isinstance(value, str):
        return _of_text(_field(type_name, name), value)
    if name == "bytes" and value is not None:
        return filesizeformat(value)
    return None if value is None else str(value)


def _of_text(field: "Field[object, object] | None", value: str) -> str:
    if not value:
        return "–"
    if field is not None and value in (names := dict(field.flatchoices)):
        return str(names[value])
    try:
        if _TIME.fullmatch(value):
            return date_format(timezone.localtime(datetime.fromisoformat(value)), "DATETIME_FORMAT")
        if _DAY.fullmatch(value):
            return date_format(date.fromisoformat(value), "DATE_FORMAT")
    except ValueError:
        pass  # looks like a time but is not one
    return value


def _model(name: str) -> type[Model] | None:
    try:
        return apps.get_model(name)
    except (LookupError, ValueError):
        return None


def _field(type_name: str, name: str) -> "Field[Any, Any] | None":
    model = _model(type_name)
    if model is None:
        return None
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None
