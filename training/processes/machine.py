"""What a GPU node has, told without torch: cores, memory, GPUs as nvidia-smi lists them, versions
of what is installed.
"""

import math
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

_QUERY = "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu"
_PACKAGES = ("torch", "transformers", "trl", "accelerate", "peft")
_MIB_PER_GB = 1024
ALL = "all"


@dataclass(frozen=True)
class Gpu:
    name: str
    memory_gb: float
    used_gb: float
    load: float | None
    temperature_c: float | None


@dataclass(frozen=True)
class Report:
    """What a node says about itself."""

    n_cores: int
    memory_gb: float
    memory_free_gb: float
    gpus: tuple[Gpu, ...]
    versions: dict[str, str]

    def gpus_as_json(self) -> list[dict[str, Any]]:
        return [asdict(gpu) for gpu in self.gpus]


def report(*, visible: str = ALL) -> Report:
    """Takes a tenth of a second where there are GPUs, nothing where there are none. `visible`: see
    parse().
    """
    total, free = _memory()
    return Report(len(os.sched_getaffinity(0)), total, free, gpus(visible=visible), versions())


def gpus(*, visible: str = ALL) -> tuple[Gpu, ...]:
    """Those that this process may use. Empty without an NVIDIA driver."""
    return parse(_table(), visible=visible)


def cards(n: int, *, memory_gb: int = 0, visible: str = ALL) -> str:
    """Which of this process's cards a run on `n` of them may see, as CUDA_VISIBLE_DEVICES has them:
    see choose().
    """
    return choose(_table(), n, memory_gb=memory_gb, visible=visible)


def choose(table: str, n: int, *, memory_gb: int = 0, visible: str = ALL) -> str:
    """Of the cards that are visible the `n` with enough memory that hold the least, by the names
    they are visible under.

    Where nvidia-smi tells of none of them (another maker's, a part of one) the first that are
    visible.
    """
    rows = [row for row in _rows(table, visible) if math.ceil(_gb(row[3])) >= memory_gb]
    emptiest = sorted(rows, key=lambda row: _gb(row[4]))[:n]
    if emptiest:
        named = [] if visible == ALL else _names(visible)
        return ",".join(index if index in named else uuid for index, uuid, *_rest in emptiest)
    return ",".join([str(number) for number in range(n)] if visible == ALL else _names(visible)[:n])


def _table() -> str:
    """What nvidia-smi says; nothing without an NVIDIA driver."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603  # found on PATH, and no word of it comes from outside
            [command, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def parse(table: str, *, visible: str = ALL) -> tuple[Gpu, ...]:
    """Rows of nvidia-smi's CSV. `visible`: indices or UUIDs, as CUDA_VISIBLE_DEVICES has them."""
    return tuple(
        Gpu(name, _gb(total), _gb(used), _share(load), _number(heat))
        for _index, _uuid, name, total, used, load, heat in _rows(table, visible)
    )


def _rows(table: str, visible: str) -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.split(",")][:7]
        for line in table.splitlines()
        if line.count(",") >= 6
    ]
    named = _names(visible)
    return rows if visible == ALL else [row for row in rows if row[0] in named or row[1] in named]


def _names(visible: str) -> list[str]:
    return [word.strip() for word in visible.split(",")]


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _memory() -> tuple[float, float]:
    """Total and available, in GB; zeros where the kernel does not tell."""
    lines: dict[str, float] = {}
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _colon, rest = line.partition(":")
            lines[name] = round(float(rest.split()[0]) / _MIB_PER_GB**2, 1)
    return lines.get("MemTotal", 0.0), lines.get("MemAvailable", 0.0)


def _number(text: str) -> float | None:
    """nvidia-smi writes [N/A] for what a card does not tell."""
    try:
        return float(text)
    except ValueError:
        return None


def _gb(mib: str) -> float:
    return round((_number(mib) or 0.0) / _MIB_PER_GB, 1)


def _share(percent: str) -> float | None:
    value = _number(percent)
    return None if value is None else value / 100
