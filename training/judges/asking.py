"""The worker's side of judges: asks one verdict, and makes the judgment of a pair of them.

Nothing is asked that could cost more than is left. What is under way counts at its most expensive,
and so does a request whose answer nobody saw, since the server may charge for it.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2
from django.db import transaction
from django.db.models import F

from jobs.protocol import Clock
from labeling.data import intake
from labeling.models import Campaign, Response
from training.judges import questions, services
from training.models import Judge, JudgeVersion, Verdict
from training.playground import answers
from training.processes import completions
from training.processes.completions import CompletionFailed, Server

MAX_FAILED = 5
"""How often a pair is asked again after errors of the server."""
MAX_REFUSED = 10
"""After so many refused requests in a row, the judge stops."""
FIRST_REST, LONGEST_REST = timedelta(seconds=15), timedelta(minutes=15)
BUSY_REST = timedelta(seconds=60)
"""For a server that is busy and does not say how long."""
MAX_RAW = 20_000
REFUSES_ALL = (401, 403, 404)
"""Statuses that are about the key or the address, so every other request has them too."""
ASKS_AGAIN = (408, 409, 425)
State = Verdict.State


@dataclass(frozen=True)
class _Question:
    version: JudgeVersion
    messages: list[dict[str, object]]
    server: Server
    within_s: float


def ask(verdict: Verdict, clock: Clock) -> None:
    """Raises jobs.models.Superseded."""
    question = _prepared(verdict, now=clock())
    if question is None:
        return
    started = time.monotonic()
    try:
        with completions.client() as http:
            content = completions.post(
                http, question.server, _body(question), within_s=question.within_s
            )
    except CompletionFailed as problem:
        _note_failure(verdict, question, problem, now=clock())
        return
    ms = round(1000 * (time.monotonic() - started))
    _store(verdict, question, content, ms=ms, now=clock())


def _prepared(verdict: Verdict, *, now: datetime) -> _Question | None:
    """What to ask, once the money for it is reserved; None if nothing is asked now."""
    with transaction.atomic():
        version = verdict.version
        judge = _locked(version)
        if verdict.reserved:  # of a worker that was lost: its request may have been charged for
            _charge(verdict, verdict.reserved)
        if not _may_ask(judge, now=now) or _is_busy(judge, now=now):
            _wait(verdict)
            return None
        shown = _shown(verdict)
        if shown is None:
            verdict.end(State.DROPPED, now=now)
            return None
        texts = questions.messages(version, verdict.item.prompt, shown)
        if not _fits(version, questions.estimated_tokens(texts)):
            verdict.end(State.TOO_LONG, now=now)
            return None
        most = questions.most_expensive(version, texts)
        spent, under_way = services.spent(judge=judge)
        left = judge.money_limit * services.MILLION - spent
        if most > left:
            services.stop_by_itself(judge=judge, why=Judge.Stop.MONEY, now=now)
        if most > left - under_way:
            _wait(verdict)
            return None
        try:
            server = answers.find_target(judge.model).server
        except answers.UnableToAnswer as problem:
            services.stop_by_itself(
                judge=judge, why=Judge.Stop.REFUSED, problem=str(problem), now=now
            )
            _wait(verdict)
            return None
        assert server is not None  # a judge's model is behind an endpoint
        verdict.beat(now=now, reserved=most)
    return _Question(version, texts, server, judge.answer_within_s)


def _locked(version: JudgeVersion) -> Judge:
    """One worker at a time looks at the money, and at the other order of its pair."""
    judges = Judge.objects.select_related("campaign", "model", "rater")
    return judges.select_for_update(of=("self",), no_key=True).get(pk=version.judge_id)


def _may_ask(judge: Judge, *, now: datetime) -> bool:
    if judge.state != Judge.State.RUNNING:
        return False
    if judge.rater.withdrawn_at is not None:
        services.stop_by_itself(judge=judge, why=Judge.Stop.WITHDRAWN, now=now)
        return False
    campaign, started = judge.campaign, judge.started_at
    is_closed = campaign.state == Campaign.State.CLOSED
    if is_closed and campaign.closed_at and started and campaign.closed_at > started:
        services.stop_by_itself(judge=judge, why=Judge.Stop.CLOSED, now=now)
        return False
    return not _is_resting(judge, now=now)


def _is_busy(judge: Judge, *, now: datetime) -> bool:
    """As many requests are under way as it may send at once."""
    asked = Verdict.objects.filter(version__judge=judge, reserved__gt=0)
    is_live = services.VERDICTS.is_live(now=now)
    return asked.filter(is_live).count() >= services.most_at_once(judge=judge)


def _charge(verdict: Verdict, price: int, **changes: object) -> None:
    """Adds to what the verdict and its judge, which is locked, have cost. Raises Superseded."""
    verdict.change(price=F("price") + price, reserved=0, **changes)
    Judge.objects.filter(pk=verdict.version.judge_id).update(cost=F("cost") + price)


def _wait(verdict: Verdict) -> None:
    """Back into the queue, for a later claim."""
    verdict.change(state=State.QUEUED, heartbeat_at=None, reserved=0)


def _shown(verdict: Verdict) -> list[Response] | None:
    """The two responses in this verdict's order; None if the item is no longer for anybody."""
    responses = list(verdict.item.responses.order_by("pk"))
    if verdict.item.held_at is not None or len(responses) != 2:
        return None
    return responses[::-1] if verdict.order else responses


def _fits(version: JudgeVersion, tokens_in: int) -> bool:
    most_out = int(version.sampling["max_new_tokens"])
    return tokens_in + most_out <= version.context_tokens


def _body(question: _Question) -> dict[str, object]:
    version = question.version
    body = completions.body_of(
        question.server, question.messages, questions.sampling_of(version), ()
    )
    return body | ({"logprobs": True, "top_logprobs": 5} if version.asks_probabilities else {})


def _store(
    verdict: Verdict, question: _Question, content: bytes, *, ms: int, now: datetime
) -> None:
    """Its tokens, its price, what it says, and with the other order the judgment, at once."""
    version, whole, written = question.version, _as_json(content), content.decode(errors="replace")
    try:
        piece = completions.piece_of(question.server, content)
        read = questions.read(piece.text, output=version.output, is_ended=piece.is_ended)
        written = piece.thinking + piece.text
    except CompletionFailed:
        read = questions.Read(State.UNREADABLE, reason=Verdict.Reason.NOT_A_COMPLETION)
    if _is_refusal(whole):
        read = questions.Read(State.REFUSED)
    used = questions.used(whole, request=question.messages, answer=written)
    if not used.is_estimated and not _fits(version, used.tokens_in):
        # Some servers shorten what does not fit, and say nothing.
        read = questions.Read(State.TOO_LONG)
    price = questions.price_of(version, tokens_in=used.tokens_in, tokens_out=used.tokens_out)
    with transaction.atomic():
        judge = _locked(version)
        _charge(
            verdict,
            price,
            state=read.state,
            ended_at=now,
            reason=read.reason,
            label=read.label,
            raw_output=_printable(content),
            log_probabilities=questions.log_probabilities(whole),
            tokens_in=used.tokens_in,
            tokens_out=used.tokens_out,
            tokens_estimated=used.is_estimated,
            ms=ms,
        )
        _settle(verdict, judge, now=now)
        answered = Judge.objects.filter(pk=judge.pk, n_failures__gt=0)
        answered.update(n_failures=0, failing_since=None, problem="")


def _settle(verdict: Verdict, judge: Judge, *, now: datetime) -> None:
    """The judgment, if both orders chose the same response, or both a tie."""
    pair = Verdict.objects.filter(item=verdict.item_id, version=verdict.version_id)
    labels = dict(pair.filter(state=State.ANSWERED).values_list("order", "label"))
    if len(labels) < len(Verdict.ORDERS) or judge.rater.withdrawn_at is not None:
        return
    chosen = {response_at(label, order) for order, label in labels.items()}
    if len(chosen) > 1:
        return
    (best,) = chosen
    responses = list(verdict.item.responses.order_by("pk").values_list("pk", flat=True))
    ranks = {pk: 1 if best in (None, place) else 2 for place, pk in enumerate(responses)}
    judgment = intake.store_judgment_of_judge(
        rater=judge.rater,
        item=verdict.item,
        ranks=ranks,
        guideline_version=verdict.version.guideline_version,
        now=now,
    )
    pair.update(judgment=judgment)


def response_at(label: str, order: int) -> int | None:
    """Which response a label means in this order: 0, the one with the smaller id, or 1; None for a
    tie.
    """
    if label == Verdict.Label.TIE:
        return None
    return int(label == Verdict.Label.B) ^ order


def _note_failure(
    verdict: Verdict, question: _Question, problem: CompletionFailed, *, now: datetime
) -> None:
    sentence = str(problem)
    is_free = problem.status is not None or isinstance(problem.__cause__, httpx2.ConnectError)
    changes: dict[str, object] = {"error": sentence, "reserved": 0}
    with transaction.atomic():
        judge = _locked(question.version)
        if not is_free:  # the server may have written, and charged for, an answer that was lost
            _charge(verdict, verdict.reserved)
        if problem.status in REFUSES_ALL:
            verdict.change(state=State.QUEUED, heartbeat_at=None, **changes)
            services.stop_by_itself(judge=judge, why=Judge.Stop.REFUSED, problem=sentence, now=now)
        elif isinstance(problem, completions.ServerBusy) and (
            problem.status == 429 or problem.retry_after_s is not None
        ):
            verdict.change(state=State.QUEUED, heartbeat_at=None, **changes)
            asked = problem.retry_after_s
            rest = BUSY_REST if asked is None else timedelta(seconds=min(asked, 86_400.0))
            _rest(judge, rest, sentence, now=now)
        elif _is_refused(problem.status):
            is_too_long = any(word in sentence.lower() for word in ("context", "too long"))
            verdict.end(State.TOO_LONG if is_too_long else State.FAILED, now=now, **changes)
            if not is_too_long and judge.n_failures + 1 >= MAX_REFUSED:
                services.stop_by_itself(
                    judge=judge, why=Judge.Stop.REFUSED, problem=sentence, now=now
                )
            elif not is_too_long:
                _rest(judge, timedelta(0), sentence, now=now)
        else:
            changes["n_failed"] = verdict.n_failed + 1
            if verdict.n_failed + 1 >= MAX_FAILED:
                verdict.end(State.FAILED, now=now, **changes)
            else:
                verdict.change(state=State.QUEUED, heartbeat_at=None, **changes)
            n_more = judge.n_failures + 1 - services.STRAY_FAILURES
            is_stray = n_more < 0 or _is_resting(judge, now=now)
            rest = timedelta(0) if is_stray else FIRST_REST * 2 ** min(n_more, 10)
            _rest(judge, min(rest, LONGEST_REST), sentence, now=now)


def _is_refused(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in ASKS_AGAIN


def _rest(judge: Judge, rest: timedelta, problem: str, *, now: datetime) -> None:
    """What was under way when the judge began to rest, and failed too, says nothing new."""
    until = now + rest
    is_resting = _is_resting(judge, now=now)
    Judge.objects.filter(pk=judge.pk).update(
        n_failures=judge.n_failures if is_resting else judge.n_failures + 1,
        rests_until=max(until, judge.rests_until or until),
        problem=problem,
    )
    Judge.objects.filter(pk=judge.pk, failing_since=None).update(failing_since=now)


def _is_resting(judge: Judge, *, now: datetime) -> bool:
    return judge.rests_until is not None and judge.rests_until > now


def _as_json(content: bytes) -> Mapping[str, object]:
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return whole if isinstance(whole, dict) else {}


def _is_refusal(whole: Mapping[str, object]) -> bool:
    """What OpenAI's API says beside an answer that it holds back."""
    try:
        choice = whole["choices"][0]  # type: ignore[index]
        return bool(choice["message"].get("refusal")) or (
            choice.get("finish_reason") == "content_filter"
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        return False


def _printable(content: bytes) -> str:
    """PostgreSQL stores no NUL."""
    return content.decode(errors="replace").replace("\x00", "\ufffd")[:MAX_RAW]
