"""Prolific over real HTTP, as far as its documentation says and the site uses it, with faults."""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.tooling.http_stub import Quiet, serving

TOKEN = "prolific-token"
FEE = Decimal("0.4")
LOST = "lost"
"""A fault: does what it was asked for, and ends the connection without an answer."""


@dataclass
class Prolific:
    """An account. `faults` maps a part of a request ("POST …/pay/") to what happens in place of an
    answer: a status, or LOST. A fault stays until it is removed.
    """

    url: str = ""
    studies: dict[str, dict[str, Any]] = field(default_factory=dict)
    submissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    bonuses: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """set up: id → (submission, cents)"""
    paid: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[str, int | str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    page_size: int = 2

    def submit(self, number: str, participant: str, status: str, **more: Any) -> dict[str, Any]:
        """A participant's submission to the only study."""
        (study,) = self.studies
        self.submissions[number] = {
            "id": number,
            "study_id": study,
            "participant_id": participant,
            "status": status,
            "started_at": "2026-03-02T12:00:00Z",
            "completed_at": None,
            "study_code": "",
            "return_requested": None,
        } | more
        return self.submissions[number]

    def n_of(self, request: str) -> int:
        return sum(request in made for made in self.requests)

    # --- what is done -----------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        parts = path.removeprefix("/api/v1/").strip("/").split("/")
        if parts == ["users", "me"]:
            return 200, {"id": "me", "currency_code": "GBP"}
        if parts == ["study-cost-calculator"]:
            rewards = Decimal(body["reward"]) * Decimal(body["total_available_places"])
            return 200, {"total_cost": float(rewards * (1 + FEE))}
        if parts[0] == "studies":
            return self._studies(method, parts[1:], query, body)
        if parts[0] == "bulk-bonus-payments":
            return self._pay(parts[1])
        return self._submissions(method, parts[1:], query, body)

    def _studies(
        self, method: str, parts: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        if not parts and method == "POST":
            number = f"study{len(self.studies) + 1}"
            own = {"id": number, "status": "UNPUBLISHED"}
            self.studies[number] = body | own
            return 201, self.studies[number]
        if not parts:
            return 200, self._page(list(self.studies.values()), query)
        study = self.studies.get(parts[0])
        if study is None:
            return 404, {"error": {"status": 404, "title": "Not found"}}
        if method == "DELETE":
            del self.studies[parts[0]]
            return 204, None
        if method == "PATCH":
            study |= body
        if parts[1:] == ["transition"]:
            study["status"] = {"PUBLISH": "ACTIVE", "PAUSE": "PAUSED", "START": "ACTIVE"}[
                body["action"]
            ]
        return 200, study

    def _submissions(
        self, method: str, parts: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        if not parts:
            of_study = [
                each for each in self.submissions.values() if each["study_id"] == query["study"]
            ]
            return 200, self._page(of_study, query)
        if parts == ["bulk-approve"]:
            for number in body["submission_ids"]:
                self.submissions[number]["status"] = "APPROVED"
            return 200, {"message": "The request to bulk approve has been made successfully."}
        if parts == ["bonus-payments"]:
            return self._prepare(body)
        found = self.submissions[parts[0]]
        if parts[1:] == ["transition"]:
            found["status"] = {"APPROVE": "APPROVED", "REJECT": "REJECTED"}[body["action"]]
        if parts[1:] == ["request-return"]:
            found["return_requested"] = "2026-03-02T13:00:00Z"
        return 200, {
            **{name: value for name, value in found.items() if name != "participant_id"},
            "participant": found["participant_id"],
            "bonus_payments": self.paid[found["id"]],
        }

    def _prepare(self, body: Any) -> tuple[int, Any]:
        lines = [line.split(",") for line in body["csv_bonuses"].splitlines()]
        cents = [(number, int(Decimal(amount) * 100)) for number, amount in lines]
        amount = sum(each for _number, each in cents)
        bonus = f"bonus{len(self.bonuses) + 1}"
        self.bonuses[bonus] = cents
        return 201, {
            "id": bonus,
            "study": body["study_id"],
            "amount": amount,
            "total_amount": float(amount * (1 + FEE)),
        }

    def _pay(self, bonus: str) -> tuple[int, Any]:
        """Pays each time that it is asked."""
        for number, cents in self.bonuses[bonus]:
            self.paid[number].append(cents)
        return 202, None

    def _page(self, rows: list[Any], query: dict[str, str]) -> dict[str, Any]:
        start = (int(query.get("page", "1")) - 1) * self.page_size
        shown = rows[start : start + self.page_size]
        is_last = start + self.page_size >= len(rows)
        following = None if is_last else f"{self.url}/api/v1/more/"
        return {"results": shown, "_links": {"next": {"href": following}}}


@contextlib.contextmanager
def prolific_stub() -> Iterator[Prolific]:
    account = Prolific()

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._handle()

        def do_POST(self) -> None:
            self._handle()

        def do_PATCH(self) -> None:
            self._handle()

        def do_DELETE(self) -> None:
            self._handle()

        def _handle(self) -> None:
            url = urlsplit(self.path)
            made = f"{self.command} {url.path}"
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(content) if content else None
            account.requests.append(made)
            account.bodies.append(body)
            fault = next((what for part, what in account.faults.items() if part in made), None)
            if self.headers["Authorization"] != f"Token {TOKEN}":
                fault = 401
            if isinstance(fault, int):
                self._send(fault, {"error": {"status": fault, "detail": "A fault."}})
                return
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, answer = account.answer(self.command, url.path, query, body)
            if fault == LOST:
                self.close_connection = True
                return
            self._send(status, answer)

        def _send(self, status: int, body: Any) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "7200")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as account.url:
        yield account
