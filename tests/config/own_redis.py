"""A real Redis of a test's own, which can be frozen or stopped."""

import os
import signal
import subprocess
import tempfile

import services as servers


class Redis:
    def __init__(self) -> None:
        self.port = servers.free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="preferably-redis-")
        self.start()

    def start(self) -> None:
        """At the same address as before, and empty: it keeps nothing on a disk."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._server = subprocess.Popen(
            [servers.redis_binary(), *options, "--dir", self._folder.name],
            stdout=subprocess.DEVNULL,
            preexec_fn=servers.die_with_parent,
        )
        servers.wait(lambda: servers.broker_answers(self.port), self._server)

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def freeze(self) -> None:
        """Connections are accepted, and nothing is answered."""
        os.kill(self._server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._server.pid, signal.SIGCONT)

    def stop(self) -> None:
        self._server.kill()
        self._server.wait(timeout=60)

    def remove(self) -> None:
        self.stop()
        self._folder.cleanup()
