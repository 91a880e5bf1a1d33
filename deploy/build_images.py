"""Builds the images of a site, with docker, podman or buildah, whichever is installed.

usage: python deploy/build_images.py [web] [node] [--prefix registry.example.org/preferably-]
       [--tag 1] [--python IMAGE]

Without a name both are built: web (the site, its short worker and beat) and node (a GPU node).
--python replaces the image that both start from, for a machine that reaches no public registry.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDERS = {
    "docker": ["docker", "build"],
    "podman": ["podman", "build"],
    "buildah": ["buildah", "build", "--layers"],
}
TARGETS = ("web", "node")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", help=" or ".join(TARGETS))
    parser.add_argument("--prefix", default="preferably-", help="in front of each image's name")
    parser.add_argument("--tag", default="latest")
    parser.add_argument("--python", metavar="IMAGE", help="Debian with Python 3.11")
    parser.add_argument("--builder", choices=BUILDERS, help="instead of the first one found")
    options = parser.parse_args()
    if unknown := [name for name in options.images if name not in TARGETS]:
        parser.error(f"There is no image {unknown[0]}: choose web or node.")
    builder = options.builder or found()
    if builder is None:
        sys.exit("Install docker, podman or buildah.")
    for name in options.images or TARGETS:
        image = f"{options.prefix}{name}:{options.tag}"
        print(f"Building {image} with {builder} …", flush=True)
        subprocess.run(command(builder, name, image, python=options.python), cwd=ROOT, check=True)


def found() -> str | None:
    """The first builder that works here; docker may be installed without its server."""
    for name in BUILDERS:
        works = shutil.which(name) and subprocess.run(
            [name, "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        if works and works.returncode == 0:
            return name
    return None


def commit() -> str:
    """Of this checkout, with a mark if something in it is not committed."""
    ask = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # git is not installed
        return ""
    return done.stdout.strip()


def command(builder: str, target: str, image: str, *, python: str | None = None) -> list[str]:
    base = ["--build-arg", f"PYTHON={python}"] if python else []
    base += ["--build-arg", f"BUILD={commit()}"]
    file = ["--file", "deploy/Containerfile", "--target", target, "--tag", image]
    return [*BUILDERS[builder], *file, *base, "."]


if __name__ == "__main__":
    main()
