"""A mail server on a free port, as far as a test needs one."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

REPLIES = {b"MAIL": b"250 ok", b"EHLO": b"250 stub", b"RSET": b"250 ok", b"QUIT": b"221 bye"}


@dataclass
class MailServer:
    port: int = 0
    is_silent: bool = False
    """accepts connections and says nothing"""
    fails_after: int | None = None
    """breaks the connection after so many letters, once"""
    refuses: tuple[bytes, ...] = ()
    """parts of addresses"""
    letters: list[bytes] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def mail_server(**options: object) -> Iterator[MailServer]:
    stub = MailServer(**options)  # type: ignore[arg-type]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if stub.is_silent:
                stub.is_over.wait(30)
                return
            self.wfile.write(b"220 stub\r\n")
            while line := self.rfile.readline():
                if not self.answer(line.strip()):
                    return

        def answer(self, line: bytes) -> bool:
            """False to end the conversation."""
            if line.upper().startswith(b"DATA"):
                if stub.fails_after == len(stub.letters):
                    stub.fails_after = None
                    return False
                self.wfile.write(b"354 go on\r\n")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                stub.letters.append(letter)
                self.wfile.write(b"250 ok\r\n")
            elif line.upper().startswith(b"RCPT"):
                is_refused = any(part in line for part in stub.refuses)
                self.wfile.write(b"550 no such person\r\n" if is_refused else b"250 ok\r\n")
            else:
                self.wfile.write(REPLIES[line[:4].upper()] + b"\r\n")
            return not line.upper().startswith(b"QUIT")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.port = int(server.server_address[1])
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield stub
    finally:
        stub.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()
