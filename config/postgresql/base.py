"""The database engine of settings.DATABASES."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks a connection before each request without a round trip."""

    def is_usable(self) -> bool:
        """Polls the socket. A server that went away has sent something or closed the connection;
        only then run Django's own check, which queries the server.
        """
        if self.connection is None:
            return False
        line = select.poll()
        line.register(self.connection.fileno(), select.POLLIN)
        return not line.poll(0) or bool(super().is_usable())
