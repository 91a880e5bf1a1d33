"""Processes of this machine: when one started, and a signal when its parent dies (Linux).

Pure: the trainer's child process uses it too, and knows no Django.
"""

import ctypes
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
# Loaded here, because code between fork and exec should not load libraries.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: int) -> None:
    """Asks the kernel for this signal when the parent dies, also by kill -9. Does nothing outside
    Linux.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def signal_at_parents_death() -> int:
    """0 for none."""
    number = ctypes.c_int()
    if sys.platform == "linux":
        _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value


def started(pid: int) -> str:
    """When this process started, in clock ticks since boot: the system may reuse a process number,
    but not with the same start. Empty when the process is gone or a zombie.
    """
    try:
        # The name, in parentheses, may hold spaces and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
