"""How much memory and time a file may take, and what is said of one that takes more."""

import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.refusals import Refusal

_MB = 1024**2
_HAS_PROC = Path("/proc/self/statm").exists()
"""Not on macOS."""
_OF_THE_PROGRAM_MB = 150
"""What a child has before it reads anything, generously."""


class UnableToRead(Refusal):
    """A file was not read to its end, because it takes too much, or its reader broke."""


@dataclass(frozen=True)
class Limits:
    """`memory_mb` is beyond what the program itself needs, `wait_s` the time without any answer,
    and `line_mb` the size of one answer.
    """

    memory_mb: int
    cpu_s: int
    wait_s: float
    line_mb: int = 64


def of_page() -> Limits:
    """For whoever waits for a page. Several may be read at once."""
    return Limits(min(512, settings.FILE_MEMORY_MB), cpu_s=10, wait_s=30, line_mb=16)


def of_upload() -> Limits:
    """For a file that is read to its end while somebody waits."""
    return Limits(settings.FILE_MEMORY_MB, cpu_s=40, wait_s=60)


def of_worker(*paths: Path) -> Limits:
    """By size: ten times slower than the slowest good files."""
    megabytes = sum(path.stat().st_size for path in paths) // _MB
    return Limits(settings.FILE_MEMORY_MB, cpu_s=120 + 10 * megabytes, wait_s=1800)


def apply(limits: Limits) -> None:
    """To this process. macOS does not enforce the one of memory; `is_over` is asked there too."""
    # At the second number the kernel kills, which looks like a lack of memory.
    _lower(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 5)
    _lower(resource.RLIMIT_CORE, 0)
    if _HAS_PROC:
        own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, own + limits.memory_mb * _MB)


def _lower(which: int, soft: int, hard: int | None = None) -> None:
    _soft, most = resource.getrlimit(which)
    wanted = soft if hard is None else hard
    hard = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(which, (min(soft, hard), hard))


def is_over(pid: int, limits: Limits) -> bool:
    """Whether a process has more memory than it may."""
    return _resident_mb(pid) > limits.memory_mb + _OF_THE_PROGRAM_MB


def _resident_mb(pid: int) -> int:
    """0 if the process is gone."""
    if _HAS_PROC:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize() // _MB
    listed = subprocess.run(  # noqa: S603  # a number
        ["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return int(listed.stdout.strip() or 0) // 1024


def needs_memory(limits: Limits) -> UnableToRead:
    sentence = _(
        "Reading this file needs more than %(n)d MB of memory. Split it, or save it as JSON lines."
    )
    return UnableToRead(sentence % {"n": limits.memory_mb})


def needs_time(limits: Limits) -> UnableToRead:
    sentence = _(
        "Reading this file takes more than %(n)d seconds. Split it, or save it as JSON lines."
    )
    return UnableToRead(sentence % {"n": limits.cpu_s})


def is_silent(limits: Limits) -> UnableToRead:
    sentence = _("This file was not read within %(n)d seconds. Try again, or split it.")
    return UnableToRead(sentence % {"n": limits.wait_s})


def has_large_entry(limits: Limits) -> UnableToRead:
    sentence = _("One entry of this file has more than %(n)d MB. Split it.")
    return UnableToRead(sentence % {"n": limits.line_mb})


def broke_the_reader() -> UnableToRead:
    return UnableToRead(
        _(
            "This file can't be read: it is damaged, or it needs too much memory. Save it again, or"
            " as JSON lines."
        )
    )
