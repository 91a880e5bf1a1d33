"""A trainer that starts warm, for accelerate's launcher to start:
python -m tests.trainer.warm.client SOCKET RUN_DIR

Has warm.serving fork the trainer with this process's environment and output. The two end together,
with the same exit code.
"""

import json
import os
import signal
import socket
import sys

from training.processes import linux


def main(address: str, arguments: list[str]) -> int:
    linux.die_with_parent(signal.SIGKILL)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(address)
        request = {"arguments": arguments, "environment": dict(os.environ)}
        outputs = [sys.stdout.fileno(), sys.stderr.fileno()]
        socket.send_fds(server, [json.dumps(request).encode()], outputs)
        code = int(server.recv(16))
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
