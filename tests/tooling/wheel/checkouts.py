"""A fresh clone of this checkout, and the wheel that is built from it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OFFLINE = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
AUTHOR = ["-c", "user.name=A test", "-c", "user.email=test@example.org"]


def copy_tracked(target: Path) -> None:
    """The tracked files alone, as they are now."""
    names = run(["git", "ls-files", "-z"], cwd=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def build_wheel(source: Path, target: Path) -> Path:
    build = f"-m pip wheel {source} --wheel-dir {target} --no-build-isolation"
    run([sys.executable, *build.split(), *OFFLINE], cwd=target)
    return next(target.glob("preferably-*.whl"))


def commit_all(folder: Path, subject: str) -> None:
    run(["git", "add", "--all"], cwd=folder)
    run(["git", *AUTHOR, "commit", "--quiet", "--allow-empty", "--message", subject], cwd=folder)


def run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
