"""Prolific's REST API over HTTP. Each failure says whether the request may have been carried out.

https://docs.prolific.com/api-reference describes the calls.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.refusals import Refusal

TIMEOUT = httpx2.Timeout(15.0, connect=5.0)
MAX_BYTES = 8 * 1024**2
MAX_ERROR_CHARACTERS = 300
PAGE_SIZE = 100
MOST_PAGES = 200
"""Pages read of one list: a study has far fewer participants."""
DEFAULT_WAIT_S = 60
"""After a 429 that does not say how long to wait."""

Json = dict[str, Any]


class UnableToUseProlific(Refusal):
    """Prolific could not be asked, or refused; nothing was done there. The text says why."""


class TokenRefused(UnableToUseProlific):
    """The token is missing, wrong or without access to the object."""


class NotFound(UnableToUseProlific):
    """Prolific does not have the object."""


class TooManyRequests(UnableToUseProlific):
    """Prolific's rate limit: `wait_s` seconds until it accepts requests again."""

    def __init__(self, sentence: str, *, wait_s: int) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


class NotReached(UnableToUseProlific):
    """No connection, so nothing was sent."""


class NoAnswer(UnableToUseProlific):
    """The request was sent and no usable answer came: Prolific may have carried it out."""


@dataclass(frozen=True)
class Account:
    url: str
    token: str


def account() -> Account:
    """The site's account, from its settings. Raises TokenRefused without a token."""
    if not settings.PROLIFIC_TOKEN:
        raise TokenRefused(
            _("This site has no Prolific token. Set PREFERABLY_PROLIFIC_TOKEN and restart it.")
        )
    return Account(settings.PROLIFIC_URL.rstrip("/"), settings.PROLIFIC_TOKEN)


def get(path: str, **query: object) -> Json:
    """Raises UnableToUseProlific."""
    return _call("GET", path, query=query)


def post(path: str, body: Mapping[str, object] | None = None) -> Json:
    """Raises UnableToUseProlific; NoAnswer means that it may have worked."""
    return _call("POST", path, body=body or {})


def patch(path: str, body: Mapping[str, object]) -> Json:
    return _call("PATCH", path, body=body)


def delete(path: str) -> None:
    _call("DELETE", path)


def pages(path: str, **query: object) -> Iterator[Json]:
    """Every object of a list, page by page. Raises UnableToUseProlific."""
    for number in range(1, MOST_PAGES + 1):
        page = get(path, **query, page=number, page_size=PAGE_SIZE)
        results = page.get("results") or []
        yield from results
        following = (page.get("_links") or {}).get("next") or {}
        if not results or not following.get("href"):
            return


def _call(
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, object] | None = None,
) -> Json:
    connection = account()
    headers = {"Authorization": f"Token {connection.token}", "User-Agent": "Preferably"}
    # No proxy from the environment and no redirects: the token goes to Prolific only.
    with httpx2.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as http:
        try:
            with http.stream(
                method,
                f"{connection.url}/api/v1/{path}",
                params=query or None,
                json=body,
                headers=headers,
            ) as answer:
                content = _limited(answer)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL) as problem:
            raise NotReached(
                _("Prolific could not be reached (%(problem)s). Try again later.")
                % {"problem": type(problem).__name__}
            ) from problem
        except httpx2.HTTPError as problem:
            raise NoAnswer(
                _("Prolific did not answer (%(problem)s).") % {"problem": type(problem).__name__}
            ) from problem
    _check(answer, content)
    return _object(content)


def _limited(answer: httpx2.Response) -> bytes:
    content = b""
    for part in answer.iter_bytes():
        content += part
        if len(content) > MAX_BYTES:
            raise NoAnswer(_("Prolific's answer is too long."))
    return content


def _check(answer: httpx2.Response, content: bytes) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in (401, 403):
        raise TokenRefused(
            _("Prolific refused the token: %(words)s Check PREFERABLY_PROLIFIC_TOKEN.")
            % {"words": _words(content, status)}
        )
    if status == 429:
        raise TooManyRequests(
            _("Prolific asks to wait before the next request. Try again in a minute."),
            wait_s=_wait_s(answer.headers.get("Retry-After", "")),
        )
    if status == 404:
        raise NotFound(_("Prolific does not have this: it may have been deleted there."))
    if status >= 500 or status < 400:
        raise NoAnswer(_("Prolific answered with an error (%(status)d).") % {"status": status})
    raise UnableToUseProlific(_("Prolific refused: %(words)s") % {"words": _words(content, status)})


def _wait_s(header: str) -> int:
    return int(header) if header.isascii() and header.isdigit() else DEFAULT_WAIT_S


def _words(content: bytes, status: int) -> str:
    """Prolific's own sentence: {"error": {"title": …, "detail": text or {field: [texts]}}}."""
    error = _object(content, default={"error": {}}).get("error")
    details = error if isinstance(error, dict) else {"detail": error}
    words = _flat(details.get("detail")) or _flat(details.get("title")) or f"HTTP {status}."
    return words[:MAX_ERROR_CHARACTERS]


def _flat(detail: object) -> str:
    if isinstance(detail, Mapping):
        return " ".join(f"{name}: {_flat(value)}" for name, value in detail.items())
    if isinstance(detail, list):
        return " ".join(_flat(part) for part in detail)
    return str(detail or "")


def _object(content: bytes, *, default: Json | None = None) -> Json:
    """The answer's JSON object; {} if it is empty."""
    if not content.strip():
        return {}
    try:
        data = json.loads(content)
    except ValueError as problem:
        if default is not None:
            return default
        raise NoAnswer(_("Prolific's answer is not JSON.")) from problem
    return data if isinstance(data, dict) else default or {}
