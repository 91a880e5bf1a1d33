"""Markdown rendered to HTML in advance and stored in the shared cache, where every process finds
it.

Pages render whatever is missing from the cache: it only saves time.
"""

import time
from collections.abc import Collection, Sequence
from hashlib import sha256

from django.core.cache import cache
from django.utils.safestring import SafeString, mark_safe
from redis.exceptions import RedisError

from pages import render

VERSION = 1
"""Increase it whenever pages.render changes its output for the same text."""
KEPT_S = 24 * 60 * 60
AWAY_S = 30.0
"""How long to avoid a cache that did not answer."""
_away_until = 0.0


def markdown(texts: Sequence[str]) -> list[SafeString]:
    """The same as pages.render.markdown for each of `texts`."""
    cached = _cached([_key(text) for text in texts])
    return [_found(cached, text) for text in texts]


def make_ahead(texts: Collection[str]) -> int:
    """Caches the HTML of `texts`; returns how many were missing."""
    by_key = {_key(text): text for text in texts}
    cached = _cached(list(by_key))
    rendered = {
        key: str(render.markdown(text)) for key, text in by_key.items() if key not in cached
    }
    if rendered:
        cache.set_many(rendered, KEPT_S)
    return len(rendered)


def _found(cached: dict[str, str], text: str) -> SafeString:
    html = cached.get(_key(text))
    return render.markdown(text) if html is None else mark_safe(html)  # noqa: S308  # made by render.markdown


def _cached(keys: list[str]) -> dict[str, str]:
    global _away_until  # one value per process
    if time.monotonic() < _away_until:
        return {}
    try:
        return cache.get_many(keys)
    except RedisError:
        _away_until = time.monotonic() + AWAY_S
        return {}


def _key(text: str) -> str:
    return f"html:{VERSION}:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
