"""What is sent to Prolific and what it sends back, as values of ours. No database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from labeling.people.prolific import client

PARTICIPANT = "{{%PROLIFIC_PID%}}"
STUDY = "{{%STUDY_ID%}}"
SESSION = "{{%SESSION_ID%}}"
BONUSES_AT_ONCE = 200
"""The most lines of one bonus request."""
FEWEST_REJECTION_CHARACTERS = 100


@dataclass(frozen=True)
class Codes:
    """Completion codes, and what the fixed screen-out pays for how many participants."""

    finished: str
    no_work: str
    screen_out: str
    screen_out_reward: int | None
    screen_out_places: int | None


@dataclass(frozen=True)
class StudyFields:
    """A draft as it is sent. `reward` is in minor units; times are in minutes."""

    name: str
    internal_name: str
    description: str
    url: str
    codes: Codes
    minutes: int
    max_minutes: int
    reward: int
    n_places: int
    project_id: str
    filter_set_id: str

    def as_json(self) -> dict[str, object]:
        body: dict[str, object] = {
            "name": self.name,
            "internal_name": self.internal_name,
            "description": self.description,
            "external_study_url": self.url,
            "prolific_id_option": "url_parameters",
            "completion_codes": _codes(self.codes),
            "estimated_completion_time": self.minutes,
            "maximum_allowed_time": self.max_minutes,
            "reward": self.reward,
            "total_available_places": self.n_places,
        }
        if self.project_id:
            body["project"] = self.project_id
        if self.filter_set_id:
            return body | {"filter_set_id": self.filter_set_id}
        return body | {"filters": []}  # everyone


@dataclass(frozen=True)
class Study:
    """As Prolific has it."""

    prolific_id: str
    status: str
    n_places: int
    currency: str


@dataclass(frozen=True)
class Submission:
    """As Prolific has it."""

    prolific_id: str
    participant_id: str
    status: str
    code: str
    started_at: datetime | None
    completed_at: datetime | None
    return_asked_at: datetime | None


@dataclass(frozen=True)
class Prepared:
    """Bonuses that were set up: `total` with fees and VAT."""

    prolific_id: str
    total: int


def external_url(*, page: str, id_parameter: str) -> str:
    """The link with the placeholders that Prolific fills in. They must not be escaped."""
    return f"{page}?{id_parameter}={PARTICIPANT}&STUDY_ID={STUDY}&SESSION_ID={SESSION}"


# --- studies --------------------------------------------------------------------------------------


def find_study(*, internal_name: str) -> Study | None:
    """The study that an earlier request without an answer may have created."""
    for remote in client.pages("studies/"):
        if remote.get("internal_name") == internal_name:
            return study(str(remote["id"]))
    return None


def create_study(fields: StudyFields) -> Study:
    return _study(client.post("studies/", fields.as_json()))


def change_study(prolific_id: str, fields: StudyFields) -> Study:
    """For drafts only."""
    return _study(client.patch(f"studies/{prolific_id}/", fields.as_json()))


def delete_study(prolific_id: str) -> None:
    """For drafts only."""
    client.delete(f"studies/{prolific_id}/")


def study(prolific_id: str) -> Study:
    return _study(client.get(f"studies/{prolific_id}/"))


def move_study(prolific_id: str, action: str) -> None:
    """`action`: PUBLISH, PAUSE or START."""
    client.post(f"studies/{prolific_id}/transition/", {"action": action})


def set_places(prolific_id: str, n_places: int) -> None:
    """Of a published study: places can only be added."""
    client.patch(f"studies/{prolific_id}/", {"total_available_places": n_places})


def cost(*, reward: int, n_places: int) -> int:
    """With fees and VAT, in minor units of the account's currency."""
    body = {"reward": reward, "total_available_places": n_places}
    return _amount(client.post("study-cost-calculator/", body).get("total_cost"))


def currency() -> str:
    """Of the account, for a study that does not say its own."""
    return _currency(client.get("users/me/"))


# --- submissions ----------------------------------------------------------------------------------


def submissions(*, study_id: str) -> Iterable[Submission]:
    for entry in client.pages("submissions/", study=study_id):
        yield _submission(entry)


def submission(prolific_id: str) -> Submission:
    return _submission(client.get(f"submissions/{prolific_id}/"))


def bonuses_paid(prolific_id: str) -> list[int]:
    """Every bonus that was paid for a submission, in minor units."""
    payments = client.get(f"submissions/{prolific_id}/").get("bonus_payments") or []
    return [_amount(payment) for payment in payments]


def approve(prolific_id: str) -> None:
    client.post(f"submissions/{prolific_id}/transition/", {"action": "APPROVE"})


def approve_all(prolific_ids: Sequence[str]) -> None:
    client.post("submissions/bulk-approve/", {"submission_ids": list(prolific_ids)})


def reject(prolific_id: str, *, category: str, message: str) -> None:
    body = {"action": "REJECT", "rejection_category": category, "message": message}
    client.post(f"submissions/{prolific_id}/transition/", body)


def ask_to_return(prolific_id: str, *, reason: str) -> None:
    client.post(f"submissions/{prolific_id}/request-return/", {"request_return_reasons": [reason]})


# --- bonuses --------------------------------------------------------------------------------------


def prepare_bonuses(*, study_id: str, amounts: Mapping[str, Decimal]) -> Prepared:
    """Set up bonuses, in the major unit by submission. No money moves yet."""
    lines = "\n".join(f"{prolific_id},{amount:.2f}" for prolific_id, amount in amounts.items())
    prepared = client.post(
        "submissions/bonus-payments/", {"study_id": study_id, "csv_bonuses": lines}
    )
    return Prepared(_id(prepared), _amount(prepared.get("total_amount")))


def pay_bonuses(prolific_id: str) -> None:
    """Pays each time it is called: never repeat it without looking for the bonuses first."""
    client.post(f"bulk-bonus-payments/{prolific_id}/pay/")


# --- reading --------------------------------------------------------------------------------------


def _codes(codes: Codes) -> list[dict[str, object]]:
    return [
        _code(codes.finished, "COMPLETED", {"action": "MANUALLY_REVIEW"}),
        _code(codes.no_work, "OTHER", {"action": "MANUALLY_REVIEW"}),
        _code(codes.screen_out, *_screen_out(codes)),
    ]


def _screen_out(codes: Codes) -> tuple[str, dict[str, object]]:
    if codes.screen_out_reward is None:
        reason = "Your answers in the introduction do not fit this study."
        return "NO_FIT", {"action": "REQUEST_RETURN", "return_reason": reason}
    payment = {
        "action": "FIXED_SCREEN_OUT_PAYMENT",
        "fixed_screen_out_reward": codes.screen_out_reward,
        "slots": codes.screen_out_places,
    }
    return "FIXED_SCREENOUT", payment


def _code(code: str, kind: str, action: Mapping[str, object]) -> dict[str, object]:
    return {"code": code, "code_type": kind, "actor": "participant", "actions": [dict(action)]}


def _study(data: Mapping[str, object]) -> Study:
    return Study(
        prolific_id=_id(data),
        status=_status(data),
        n_places=_amount(data.get("total_available_places")),
        currency=_currency(data),
    )


def _currency(data: Mapping[str, object]) -> str:
    code = data.get("presentment_currency_code") or data.get("currency_code") or ""
    return str(code)[:3].upper()


def _submission(data: Mapping[str, object]) -> Submission:
    """Lists and single objects differ in two names."""
    status = _status(data)
    return Submission(
        prolific_id=_id(data),
        participant_id=str(data.get("participant_id") or data.get("participant") or ""),
        status="TIMED-OUT" if status == "TIMED OUT" else status,
        code=str(data.get("study_code") or data.get("entered_code") or ""),
        started_at=_time(data.get("started_at")),
        completed_at=_time(data.get("completed_at")),
        return_asked_at=_time(data.get("return_requested")),
    )


def _status(data: Mapping[str, object]) -> str:
    return str(data.get("status") or "").upper().replace("_", " ")[:32]


def _id(data: Mapping[str, object]) -> str:
    """Raises NoAnswer for an answer that is none of Prolific's."""
    if not data.get("id"):
        raise client.NoAnswer(_("Prolific's answer has no ID."))
    return str(data["id"])


def _amount(value: object) -> int:
    try:
        return int(Decimal(str(value or 0)))
    except (InvalidOperation, ValueError, OverflowError):
        return 0


def _time(value: object) -> datetime | None:
    """Prolific's times are in UTC."""
    try:
        moment = parse_datetime(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
