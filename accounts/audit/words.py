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
    "accept": _("accept"),
    "accept_upsetting": _("agree to upsetting content"),
    "add_raters": _("add raters"),
    "add_step": _("add a step"),
    "adjudicate": _("adjudicate"),
    "answer": _("answer"),
    "answer_appeal": _("answer an appeal"),
    "approve": _("approve"),
    "bring_back": _("bring back"),
    "change": _("change"),
    "close": _("close"),
    "create": _("create"),
    "cut": _("cut"),
    "decide": _("decide"),
    "delete": _("delete"),
    "describe": _("describe"),
    "disable": _("disable"),
    "discard": _("discard"),
    "drain": _("drain"),
    "enable": _("enable"),
    "end_secret": _("end the old secret"),
    "export": _("export"),
    "fire": _("begin a chain"),
    "forget": _("forget"),
    "free": _("free disk space"),
    "import": _("import"),
    "import_golds": _("import golds"),
    "invite": _("invite"),
    "keep": _("keep of a conversation"),
    "kill": _("end at once"),
    "mark_upsetting": _("mark upsetting content"),
    "new_version": _("new version"),
    "own": _("take charge"),
    "pause": _("pause"),
    "pause_raters": _("pause raters"),
    "pay": _("mark as paid"),
    "publish": _("publish"),
    "queue": _("queue"),
    "readmit": _("readmit"),
    "redeliver": _("send again"),
    "register": _("register"),
    "remove_raters": _("remove raters"),
    "reorder": _("put first"),
    "resend": _("send again"),
    "resume": _("resume"),
    "resume_raters": _("resume raters"),
    "retire": _("retire"),
    "retry": _("retry"),
    "review": _("review"),
    "revoke": _("revoke"),
    "rotate": _("new secret"),
    "score": _("score"),
    "set_aside": _("set aside"),
    "set_rate": _("set a rate"),
    "settle": _("settle"),
    "skills": _("say what a rater knows"),
    "stop": _("stop"),
    "take_back": _("take back"),
    "use_golds": _("use golds"),
    "warn": _("warn"),
    "withdraw": _("withdraw"),
    "state:draft": _("state: draft"),
    "state:open": _("state: open"),
    "state:paused": _("state: paused"),
    "state:closed": _("state: closed"),
}
TYPE_WORDS = {
    "accounts.apitoken": _("API token"),
    "accounts.webhook": _("webhook"),
    "labeling.adjudication": _("adjudication"),
    "labeling.campaign": _("campaign"),
    "labeling.case": _("case"),
    "labeling.crowdlink": _("crowd link"),
    "labeling.gold": _("gold"),
    "labeling.guideline": _("guideline"),
    "labeling.judgment": _("judgment"),
    "labeling.judgmentreview": _("review"),
    "labeling.import": _("import"),
    "labeling.invitation": _("invitation"),
    "labeling.onboardingstep": _("onboarding step"),
    "labeling.paydispute": _("dispute"),
    "labeling.pool": _("pool"),
    "labeling.prompt": _("prompt"),
    "labeling.itemquestion": _("question"),
    "labeling.rater": _("rater"),
    "labeling.setaside": _("answer set aside"),
    "labeling.stepattempt": _("attempt"),
    "training.chain": _("chain"),
    "training.node": _("node"),
    "training.run": _("run"),
    "training.schedule": _("schedule"),
    "training.snapshot": _("snapshot"),
    "training.trainedmodel": _("model"),
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
        return ", ".join(str(of_value(type_name, name, one)) for one in value) or "–"
    if isinstance(value, str):
        return _of_text(_field(type_name, name), value)
    if name == "bytes" and value is not None:
        return filesizeformat(value)
    return None if value is None else str(value)


def _of_text(field: "Field[Any, Any] | None", value: str) -> str:
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
