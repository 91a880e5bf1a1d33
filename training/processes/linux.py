"""Processes of this machine: when one started, and a signal for when its parent dies (Linux only).

No Django: the trainer's child process uses it too.
"""

import ctypes
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
# Loaded here, because code between fork and exec should not load libraries.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: int) -> None:
    """Asks the kernel to send this signal when the parent dies, even by kill -9. Does nothing
    outside Linux.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def parent_death_signal() -> int:
    """0 for none."""
    number = ctypes.c_int()
    if sys.platform == "linux":
        _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value


def start_time(pid: int) -> str:
    """The process's start in clock ticks since boot; "" when it is gone or a zombie. With the pid
    it identifies a process, since pids are reused.
    """
    try:
        # The name, in parentheses, may itself contain spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
