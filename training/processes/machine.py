"""The hardware of a GPU node, found without torch: cores, memory, GPUs from nvidia-smi, and
versions of installed packages.
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

_QUERY = "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu"
_PACKAGES = ("preferably", "torch", "transformers", "trl", "accelerate", "peft")
_MIB_PER_GB = 1024
ALL = "all"


@dataclass(frozen=True)
class Gpu:
    name: str
    memory_gb: float
    used_gb: float
    load: float | None
    temperature_c: float | None
    card: str = ""
    """What CUDA_VISIBLE_DEVICES calls it."""


@dataclass(frozen=True)
class Report:
    """What a node reports about itself."""

    n_cores: int
    memory_gb: float
    memory_free_gb: float
    gpus: tuple[Gpu, ...]
    versions: dict[str, str]

    def gpus_as_json(self) -> list[dict[str, object]]:
        return [asdict(gpu) for gpu in self.gpus]


def report(*, visible: str = ALL) -> Report:
    """Takes a tenth of a second on a machine with GPUs. `visible`: see parse()."""
    total, free = _memory()
    return Report(len(os.sched_getaffinity(0)), total, free, gpus(visible=visible), versions())


def gpus(*, visible: str = ALL) -> tuple[Gpu, ...]:
    """The GPUs that this process may use; empty without an NVIDIA driver."""
    return parse(_nvidia_smi(), visible=visible)


def cards(n: int, *, memory_gb: int = 0, visible: str = ALL) -> str:
    """The value of CUDA_VISIBLE_DEVICES for a run on `n` GPUs: see choose()."""
    return choose(_nvidia_smi(), n, memory_gb=memory_gb, visible=visible)


def choose(table: str, n: int, *, memory_gb: int = 0, visible: str = ALL) -> str:
    """The `n` visible GPUs with the least memory in use, among those with at least `memory_gb`.
    Named as in `visible`.

    If nvidia-smi lists none of them (another vendor's GPU, or a MIG slice), the first visible ones.
    """
    rows = [row for row in _rows(table, visible) if math.ceil(_gb(row[3])) >= memory_gb]
    emptiest = sorted(rows, key=lambda row: _gb(row[4]))[:n]
    if emptiest:
        return ",".join(_card(row, visible) for row in emptiest)
    return ",".join([str(number) for number in range(n)] if visible == ALL else _names(visible)[:n])


def _nvidia_smi() -> str:
    """The output of nvidia-smi; "" without an NVIDIA driver."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603  # found on PATH, with fixed arguments
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
    """Parses nvidia-smi's CSV. `visible`: indices or UUIDs, as in CUDA_VISIBLE_DEVICES."""
    return tuple(
        Gpu(name, _gb(total), _gb(used), _share(load), _number(heat), _card(row, visible))
        for row in _rows(table, visible)
        for name, total, used, load, heat in [row[2:]]
    )


def _card(row: list[str], visible: str) -> str:
    """Its UUID, or its index if `visible` has that."""
    index, uuid = row[:2]
    return index if visible != ALL and index in _names(visible) else uuid


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
    installed = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            installed[package] = metadata.version(package)
    return installed


def _memory() -> tuple[float, float]:
    """(total, available) in GB; zeros if the kernel does not report them."""
    lines: dict[str, float] = {}
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _colon, rest = line.partition(":")
            lines[name] = round(float(rest.split()[0]) / _MIB_PER_GB**2, 1)
    return lines.get("MemTotal", 0.0), lines.get("MemAvailable", 0.0)


def _number(text: str) -> float | None:
    """None for [N/A], which nvidia-smi prints for unsupported values."""
    try:
        return float(text)
    except ValueError:
        return None


def _gb(mib: str) -> float:
    return round((_number(mib) or 0.0) / _MIB_PER_GB, 1)


def _share(percent: str) -> float | None:
    value = _number(percent)
    return None if value is None else value / 100
