"""Data about a person, and keys to somebody's account, found by form and by check digits.

What was found is never stored: a finding is a place and a kind.
"""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import phonenumbers

from training.snapshots.curation.rules import checksums
from training.snapshots.curation.rules.verdicts import Span, Text, Verdict

KINDS = ("email", "phone", "iban", "card", "ip", "national_id")
RESERVED_DOMAINS = ("example.com", "example.org", "example.net")
# RFC 2606 reserves these for examples, so nobody has an address there.
_RESERVED_ENDINGS = (".example", ".test", ".invalid", ".localhost")
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w-])"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
# What says that four numbers are a version: a slash, as in a path, unless an address is before it;
# a backslash; a word. Two slashes, also as \/\/ in JSON, begin an address.
_BEFORE_VERSION = re.compile(
    r"(?:(?<!/)(?<!/\\)(?<!\.\d)(?<!\.\d\d)(?<!\.\d\d\d)/|\\"
    r"|\b(?:version|ver|release|v)\b[.:=]?\s{0,3})\Z",
    re.IGNORECASE,
)
_LONGEST_BEFORE_VERSION = 16
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])")
# With a country code, or a group of digits in one of the usual forms.
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ ./-]?\d){5,13}"
    r"|\(\d{2,5}\)[ -]?\d(?:[ ./-]?\d){4,9}"
    r"|0\d{1,4}[ /-]\d(?:[ /-]?\d){4,9}"
    r"|\d{3}[ .-]\d{3}[ .-]\d{4})(?![\w-]|\.\d)"
)
# Digits alone are a telephone number only after a word that says so.
_CALLED = re.compile(
    r"\b(?:phone|tel|telephone|telefon|mobile|mobil|cell|call|fax|whatsapp)\b[^\d\n]{0,12}(\d{7,15})(?!\w)",
    re.IGNORECASE,
)
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_SPANISH = re.compile(r"(?<!\w)[XYZ\d]-?\d{7}-?[A-Z](?!\w)")
_FRENCH = re.compile(r"(?<!\w)[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d(?!\w)")
# A run of nine to eleven digits passes a check by chance once in ten, so a word must say what it
# is.
_NAMED = (
    (
        re.compile(r"\b(?:steuer|tax)[^\d\n]{0,40}((?:\d ?){10}\d)(?!\d)", re.IGNORECASE),
        checksums.is_german_tax_id,
    ),
    (
        re.compile(r"\b(?:bsn|burgerservicenummer)\b[^\d\n]{0,20}(\d{9})(?!\d)", re.IGNORECASE),
        checksums.is_dutch_citizen_number,
    ),
    (
        re.compile(r"\bNHS\b[^\d\n]{0,20}(\d{3}[ -]?\d{3}[ -]?\d{4})(?!\d)"),
        checksums.is_british_health_number,
    ),
    (
        re.compile(r"\bpesel\b[^\d\n]{0,20}(\d{11})(?!\d)", re.IGNORECASE),
        checksums.is_polish_person_number,
    ),
)
_NOT_DIGITS = re.compile(r"[^0-9A-Za-z]")
_HAS_NUMBERS = re.compile(r"\d(?:[^A-Za-z]{0,2}[0-9A-Z]){4}|\d\.\d\.\d\.\d|:[0-9A-Fa-f]{0,4}:")
_KEYS = re.compile(
    r"(?P<aws>(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9]))"
    r"|(?P<github>\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}))"
    r"|(?P<gitlab>\bglpat-[A-Za-z0-9_-]{20,})"
    r"|(?P<hugging_face>\bhf_[A-Za-z0-9]{30,})"
    r"|(?P<model_api>\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,})"
    r"|(?P<stripe>\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,})"
    r"|(?P<slack>\bxox[abprs]-[A-Za-z0-9-]{10,})"
    r"|(?P<google>\bAIza[A-Za-z0-9_-]{35})"
    r"|(?P<npm>\bnpm_[A-Za-z0-9]{36})"
    r"|(?P<token>\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
    r"|(?P<private_key>-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"(?:[\s\S]{0,8000}?-----END [A-Z ]*PRIVATE KEY-----|[A-Za-z0-9+/=\s]{0,8000}))"
    r"|(?P<password>(?<=://)[^\s:/@]{1,64}:[^\s:/@]{3,64}(?=@))"
)
_BEGINNINGS = (
    "AKIA ASIA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- hf_ sk- sk_ rk_ xox AIza npm_ eyJ"
    " -----BEGIN ://"
)
_KEY_BEGINNINGS = _BEGINNINGS.split()
_ASSIGNED_TO = ("key", "secret", "token", "passw", "pwd")
_ASSIGNED = re.compile(
    r"(?:api[_-]?key|secret|token|passw(?:or)?d|pwd)[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9+/_=-]{16,128})",
    re.IGNORECASE,
)
# Bits per character: prose has about 3, and random letters and digits of this length 4 or more.
_RANDOM = 3.5


@dataclass(frozen=True)
class PersonalData:
    """Masks personal data, or removes the text that holds it."""

    NAME: ClassVar[str] = "personal_data"
    kinds: tuple[str, ...] = KINDS
    regions: tuple[str, ...] = ("US", "GB", "DE")
    """where a telephone number without a country code may be from"""
    removes: bool = False
    most: int = 0
    """how many findings a text may keep"""

    def __call__(self, text: Text) -> Verdict | None:
        spans = personal_data(text.text, kinds=self.kinds, regions=self.regions)
        return _verdict(self.NAME, text.text, spans, self.most, self.removes)


@dataclass(frozen=True)
class Keys:
    """Masks keys, tokens and passwords of services, or removes the text that holds them."""

    NAME: ClassVar[str] = "keys"
    removes: bool = False

    def __call__(self, text: Text) -> Verdict | None:
        return _verdict(self.NAME, text.text, keys(text.text), 0, self.removes)


def _verdict(
    rule: str, text: str, spans: tuple[Span, ...], most: int, removes: bool
) -> Verdict | None:
    if len(spans) <= most:
        return None
    changed = None if removes else masked(text, spans)
    return Verdict(rule, len(spans), most, is_removed=removes, spans=spans, text=changed)


def personal_data(
    text: str, *, kinds: Iterable[str] = KINDS, regions: Iterable[str] = ("US", "GB", "DE")
) -> tuple[Span, ...]:
    """Where personal data is, in order and without overlaps."""
    wanted, spans = set(kinds), list[Span]()
    if "email" in wanted and "@" in text:
        spans += _emails(text)
    if _HAS_NUMBERS.search(text):
        # In the order of certainty: where two overlap, the earlier one stays.
        for kind, finder in _FINDERS:
            if kind in wanted:
                spans += finder(text)
        if "phone" in wanted:
            spans += _phones(text, tuple(regions))
    return _apart(spans)


def keys(text: str) -> tuple[Span, ...]:
    """Where keys and passwords are."""
    spans: list[Span] = []
    # Looking for plain beginnings first is ten times as fast as the pattern.
    if any(map(text.__contains__, _KEY_BEGINNINGS)):
        spans += [Span(*match.span(), str(match.lastgroup)) for match in _KEYS.finditer(text)]
    low = text.lower()
    if any(map(low.__contains__, _ASSIGNED_TO)):
        spans += [
            Span(*match.span(1), "secret")
            for match in _ASSIGNED.finditer(text)
            if _entropy(match[1]) >= _RANDOM and any(map(str.isdigit, match[1]))
        ]
    return _apart(spans)


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text with the kind of each finding in its place."""
    parts, end = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        parts += [text[end : span.start], f"<{span.kind.upper()}>"]
        end = span.end
    return "".join([*parts, text[end:]])


def clear(text: str) -> str:
    """The whole text without personal data and keys, for people to read."""
    return masked(text, _apart([*keys(text), *personal_data(text)]))


def shown(text: str, *, around: int = 0, most: int = 200) -> str:
    """An excerpt as a ledger may keep it: nothing personal, no keys."""
    # Found in the whole text: a part of a key is not recognised as one, but is still part of a key.
    spans = _apart([*keys(text), *personal_data(text)])
    start = max(0, around - most // 3)
    end = start + most
    for span in spans:
        if span.start < start < span.end:
            start = span.start
        if span.start < end < span.end:
            end = span.end
    inside = [
        Span(span.start - start, span.end - start, span.kind)
        for span in spans
        if start <= span.start and span.end <= end
    ]
    clear = " ".join(masked(text[start:end], inside).split())
    return f"{'…' if start else ''}{clear}{'…' if end < len(text) else ''}"


def _apart(spans: list[Span]) -> tuple[Span, ...]:
    """Earlier findings win over later ones that overlap them."""
    chosen: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or other.end <= span.start for other in chosen):
            chosen.append(span)
    return tuple(sorted(chosen, key=lambda span: span.start))


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        domain = match[0].rsplit("@", 1)[1].lower()
        if domain not in RESERVED_DOMAINS and not domain.endswith(_RESERVED_ENDINGS):
            yield Span(*match.span(), "email")


def _checked(
    pattern: re.Pattern[str], kind: str, is_right: Callable[[str], bool]
) -> Callable[[str], Iterator[Span]]:
    def find(text: str) -> Iterator[Span]:
        for match in pattern.finditer(text):
            if is_right(_NOT_DIGITS.sub("", match[0])):
                yield Span(*match.span(), kind)

    return find


def _ibans(text: str) -> Iterator[Span]:
    """A match may have run on into the words behind it, so shorter ones are tried too."""
    for match in _IBAN.finditer(text):
        for end in range(match.end(), match.start() + 14, -1):
            if checksums.is_iban(text[match.start() : end].replace(" ", "")):
                yield Span(match.start(), end, "iban")
                break


def _ips(text: str) -> Iterator[Span]:
    for match in _IP4.finditer(text):
        if _is_public(match[0]) and not _is_version(text, match.start()):
            yield Span(*match.span(), "ip")
    for match in _IP6.finditer(text):
        if _is_public(match[0]):
            yield Span(*match.span(), "ip")


def _is_version(text: str, start: int) -> bool:
    before = text[max(0, start - _LONGEST_BEFORE_VERSION) : start]
    return _BEFORE_VERSION.search(before) is not None


_IN_USE = ipaddress.ip_network("2000::/3")


def _is_public(address: str) -> bool:
    """Private, loopback and documentation addresses belong to nobody."""
    try:
        parsed = ipaddress.ip_address(address)
        # The only range of IPv6 that is in use: `use a::b::{c, e::f}` is a path in code.
        is_used = parsed.version == 4 or parsed in _IN_USE
        return is_used and parsed.is_global
    except ValueError:
        return False


def _national_ids(text: str) -> Iterator[Span]:
    for pattern, is_right in (
        (_SSN, checksums.is_us_social_security),
        (_SPANISH, checksums.is_spanish_id),
        (_FRENCH, checksums.is_french_social_security),
    ):
        yield from _checked(pattern, "national_id", is_right)(text)
    for pattern, is_right in _NAMED:
        for match in pattern.finditer(text):
            if is_right(_NOT_DIGITS.sub("", match[1])):
                yield Span(*match.span(1), "national_id")


def _phones(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        if _is_phone(match[0], regions):
            yield Span(*match.span(), "phone")
    for match in _CALLED.finditer(text):
        if _is_phone(match[1], regions):
            yield Span(*match.span(1), "phone")


def _is_phone(number: str, regions: tuple[str, ...]) -> bool:
    for region in ("ZZ",) if number.startswith("+") else regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def _entropy(text: str) -> float:
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


_FINDERS: tuple[tuple[str, Callable[[str], Iterator[Span]]], ...] = (
    ("iban", _ibans),
    ("card", _checked(_CARD, "card", checksums.is_card)),
    ("national_id", _national_ids),
    ("ip", _ips),
)
