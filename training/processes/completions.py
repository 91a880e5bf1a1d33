"""A client for OpenAI-compatible servers: whole answers, or streamed. No Django: a training process
uses it too.
"""

import email.utils
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx2

from arithmetic import answer_parts
from arithmetic.answer_parts import Stream
from arithmetic.chats import ToolCall
from training.processes import deadlines

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 120.0
"""How long a server may send nothing before the request fails."""
ANSWER_TIMEOUT_S = 600.0
"""How long a server may take for a whole answer, headers included, however it drips."""
MAX_BYTES = 4 * 1024**2
MAX_ERROR_CHARACTERS = 300
DONE = b"[DONE]"
_BUSY = (429, 503)
_UNANSWERED = (httpx2.HTTPError, httpx2.InvalidURL, deadlines.DeadlinePassed)
KEY_PREFIX = "PREFERABLY_KEY_"
"""Only variables with this prefix are read as keys. Otherwise anybody who may name a variable could
have any secret of the process sent to a server of their own.
"""

Message = Mapping[str, object]
Tools = Sequence[Mapping[str, object]]


class CompletionFailed(Exception):
    """The server did not answer as it should; the text says what it did."""

    status: int | None = None
    """of its answer, if it refused the request"""


class ServerBusy(CompletionFailed):
    """The server asks to come back later: after `retry_after_s` seconds, if it says when."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Server:
    """`url` is the part before /chat/completions; `name` is the server's name for the model."""

    url: str
    name: str
    key: str = ""


@dataclass(frozen=True)
class Sampling:
    """Sampling settings of one answer. Without a seed, answers differ."""

    temperature: float = 1.0
    top_p: float = 0.95
    max_new_tokens: int = 256
    seed: int | None = None
    max_thinking_tokens: int = 0
    """beside those of the answer; a server gets the sum"""

    def as_json(self) -> dict[str, float | None]:
        thinking = {"max_thinking_tokens": self.max_thinking_tokens}
        return {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_new_tokens": self.max_new_tokens,
            "seed": self.seed,
            **(thinking if self.max_thinking_tokens else {}),
        }


@dataclass(frozen=True)
class Piece:
    """A piece of an answer, and of the thinking before it, which some servers keep apart. On the
    last one `is_ended` says whether the model ended its turn; None if the server does not say.
    """

    text: str
    is_last: bool = False
    is_ended: bool | None = None
    thinking: str = ""
    tool_calls: Sequence[ToolCall] = ()

    @property
    def has_answer(self) -> bool:
        return bool(self.text.strip() or self.tool_calls)


def client() -> httpx2.Client:
    """Uses no proxy from the environment and follows no redirects, so that keys go nowhere else."""
    timeout = httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    return httpx2.Client(
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        transport=deadlines.transport(),
    )


def complete(
    http: httpx2.Client,
    server: Server,
    messages: Sequence[Message],
    sampling: Sampling,
    tools: Tools = (),
) -> Piece:
    """The whole answer, in its parts. Raises CompletionFailed."""
    return piece_of(server, post(http, server, body_of(server, messages, sampling, tools)))


def post(
    http: httpx2.Client,
    server: Server,
    body: Mapping[str, object],
    *,
    within_s: float | None = None,
) -> bytes:
    """What the server sends for this request, unread. Raises CompletionFailed."""
    within_s = within_s or ANSWER_TIMEOUT_S
    try:
        with (
            deadlines.within(within_s),
            http.stream(
                "POST", _address(server), json=dict(body), headers=_headers(server)
            ) as answer,
        ):
            content = b"".join(_limited(answer.iter_bytes()))
    except _UNANSWERED as problem:
        raise CompletionFailed(_no_response(server, problem, within_s)) from problem
    if not answer.is_success:
        raise _failure(server, answer, content)
    return content


def piece_of(server: Server, content: bytes) -> Piece:
    """The whole answer in what a server has sent. Raises CompletionFailed."""
    choice = _choice(server, content)
    parts = answer_parts.split_unknown(_text_of(server, choice, part="message"))
    thinking = "\n\n".join(filter(None, (_thinking_of(choice, part="message"), parts.thinking)))
    message = choice.get("message")
    sent = message.get("tool_calls") if isinstance(message, dict) else None
    text, calls = answer_parts.calls_of_openai(parts.answer, sent)
    return Piece(text, True, _is_ended(choice), thinking, calls)


def stream(
    http: httpx2.Client,
    server: Server,
    messages: Sequence[Message],
    sampling: Sampling,
    tools: Tools = (),
) -> Iterator[Piece]:
    """The answer as it is written; the last piece has `is_last`. Raises CompletionFailed."""
    body = body_of(server, messages, sampling, tools) | {"stream": True}
    ended: bool | None = None
    is_whole, parts = False, Stream()
    try:
        with (
            deadlines.within(ANSWER_TIMEOUT_S),
            http.stream("POST", _address(server), json=body, headers=_headers(server)) as answer,
        ):
            if not answer.is_success:
                raise _failure(server, answer, b"".join(_limited(answer.iter_bytes())))
            for data in _events(_limited(answer.iter_bytes())):
                is_whole = is_whole or data == DONE
                if data == DONE:
                    break
                choice = _choice(server, data)
                if choice.get("finish_reason"):
                    is_whole, ended = True, _is_ended(choice)
                new = parts.add(_text_of(server, choice, part="delta"))
                thinking = _thinking_of(choice, part="delta") + new.thinking
                if new.answer or thinking:
                    yield Piece(new.answer, thinking=thinking)
    except _UNANSWERED as problem:
        raise CompletionFailed(_no_response(server, problem, ANSWER_TIMEOUT_S)) from problem
    if not is_whole:
        raise CompletionFailed(f"{server.url} closed the connection before the answer ended.")
    new = parts.add("", is_last=True)
    if new.answer or new.thinking:
        yield Piece(new.answer, thinking=new.thinking)
    yield Piece("", is_last=True, is_ended=ended)


def _address(server: Server) -> str:
    return f"{server.url.rstrip('/')}/chat/completions"


def _headers(server: Server) -> dict[str, str]:
    return {"User-Agent": "Preferably"} | (
        {"Authorization": f"Bearer {server.key}"} if server.key else {}
    )


def body_of(
    server: Server, messages: Sequence[Message], sampling: Sampling, tools: Tools
) -> dict[str, object]:
    body: dict[str, object] = {
        "model": server.name,
        "messages": [answer_parts.as_openai(message) for message in messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_new_tokens + sampling.max_thinking_tokens,
    }
    if tools:
        body["tools"] = list(tools)
    return body if sampling.seed is None else body | {"seed": sampling.seed}


def _limited(content: Iterator[bytes]) -> Iterator[bytes]:
    n_bytes = 0
    for part in content:
        n_bytes += len(part)
        if n_bytes > MAX_BYTES:
            raise CompletionFailed("The server's answer does not end: it was cut off after 4 MB.")
        yield part


def _events(content: Iterator[bytes]) -> Iterator[bytes]:
    """The data of server-sent events; the last of an answer is DONE."""
    rest = b""
    for part in content:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            name, colon, value = line.partition(b":")
            if name != b"data" or not colon:
                continue
            yield value.strip()


def _choice(server: Server, content: bytes) -> dict[str, object]:
    """The first choice. Empty for an event without one, such as the usage event that some servers
    send last.
    """
    try:
        response = json.loads(content)
        choices = response["choices"]
        return dict(choices[0]) if choices else {}
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise CompletionFailed(_unlike_openai(server)) from problem


def _text_of(server: Server, choice: Mapping[str, object], *, part: str) -> str:
    """The text of an answer, or of a piece of one; "" without any. Half of a character's escape
    sequence, which nothing can store, is replaced.
    """
    holder = choice.get(part) or {}
    text = holder.get("content") if isinstance(holder, dict) else holder
    if text is None:
        return ""
    if not isinstance(holder, dict) or not isinstance(text, str):
        raise CompletionFailed(_unlike_openai(server))
    return text.encode("utf-8", "replace").decode()


def _thinking_of(choice: Mapping[str, object], *, part: str) -> str:
    """What a server that keeps thinking apart sends of it: vLLM, SGLang and DeepSeek as
    `reasoning_content`, newer vLLM and OpenRouter as `reasoning`.
    """
    holder = choice.get(part)
    if not isinstance(holder, dict):
        return ""
    text = holder.get("reasoning_content") or holder.get("reasoning")
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""


def _unlike_openai(server: Server) -> str:
    return f"{server.url} did not answer as an OpenAI-compatible server does. Check its address."


def _is_ended(choice: Mapping[str, object]) -> bool | None:
    reason = choice.get("finish_reason")
    return None if reason is None else reason in ("stop", "tool_calls")


def _failure(server: Server, answer: httpx2.Response, content: bytes) -> CompletionFailed:
    text = _refusal(server, answer.status_code, content)
    failed = CompletionFailed(text)
    if answer.status_code in _BUSY:
        header, sent = (answer.headers.get(name, "") for name in ("Retry-After", "Date"))
        failed = ServerBusy(text, retry_after_s(header, sent))
    failed.status = answer.status_code
    return failed


def retry_after_s(header: str, sent: str) -> float | None:
    """The seconds of a Retry-After header, which has a number of them or a date (RFC 9110,
    10.2.3), counted from the answer's own Date; None if it has neither.
    """
    if header.strip().isdecimal():
        return float(header)
    try:
        date, sent_at = map(email.utils.parsedate_to_datetime, (header, sent))
        return max((date - sent_at).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _refusal(server: Server, status: int, content: bytes) -> str:
    try:
        response = json.loads(content)
        error = response.get("error", response)
        message = error.get("message", "") if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        message = ""
    # A server may quote the key that it refuses.
    shown = str(message).replace(server.key, "…") if server.key else str(message)
    return f"{server.url} answered {status}{': ' if shown else '.'}{shown[:MAX_ERROR_CHARACTERS]}"


def _no_response(server: Server, problem: Exception, within_s: float) -> str:
    if isinstance(problem, deadlines.DeadlinePassed):
        return f"The server's answer does not end: it was cut off after {within_s:g} s."
    return f"{server.url} did not answer ({type(problem).__name__})."
