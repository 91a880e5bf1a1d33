"""Markdown that was made into HTML ahead of its readers: in the shared cache, where every process
finds it.

Without the cache, or what it holds, a page makes its own HTML: the cache only saves time.
"""

import time
from collections.abc import Collection, Sequence
from hashlib import sha256

from django.core.cache import cache
from django.utils.safestring import SafeString, mark_safe
from redis.exceptions import RedisError

from pages import render

VERSION = 1
"""Another number whenever pages.render makes something else of the same text."""
KEPT_S = 24 * 60 * 60
AWAY_S = 30.0
"""A cache that did not answer is not asked again for so long."""
_away_until = 0.0


def markdown(texts: Sequence[str]) -> list[SafeString]:
    """Each of `texts` as pages.render.markdown gives it."""
    kept = _kept([_key(text) for text in texts])
    return [_found(kept, text) for text in texts]


def make_ahead(texts: Collection[str]) -> int:
    """Puts the HTML of `texts` where `markdown` finds it; how many were not there."""
    by_key = {_key(text): text for text in texts}
    kept = _kept(list(by_key))
    made = {key: str(render.markdown(text)) for key, text in by_key.items() if key not in kept}
    if made:
        cache.set_many(made, KEPT_S)
    return len(made)


def _found(kept: dict[str, str], text: str) -> SafeString:
    html = kept.get(_key(text))
    return render.markdown(text) if html is None else mark_safe(html)  # noqa: S308  # made by render.markdown


def _kept(keys: list[str]) -> dict[str, str]:
    global _away_until  # one number a process
    if time.monotonic() < _away_until:
        return {}
    try:
        return cache.get_many(keys)
    except RedisError:
        _away_until = time.monotonic() + AWAY_S
        return {}


def _key(text: str) -> str:
    return f"html:{VERSION}:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
