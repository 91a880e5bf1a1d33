"""The commit of a checkout, read from git's own files: git need not be installed."""

from pathlib import Path

LENGTH = 12


def commit(folder: Path) -> str:
    """The first digits of the commit that `folder` is a checkout of, or nothing."""
    try:
        git = _folder_of_git(folder)
        head = (git / "HEAD").read_text().strip()
        if head.startswith("ref: "):
            head = _commit_of(git, head.removeprefix("ref: "))
    except OSError:
        return ""
    return head[:LENGTH]


def _folder_of_git(folder: Path) -> Path:
    """A worktree has a file that names it."""
    git = folder / ".git"
    return Path(git.read_text().removeprefix("gitdir:").strip()) if git.is_file() else git


def _commit_of(git: Path, branch: str) -> str:
    shared = git / "commondir"
    common = git / shared.read_text().strip() if shared.exists() else git
    if (common / branch).exists():
        return (common / branch).read_text().strip()
    packed = (common / "packed-refs").read_text().splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), "")
