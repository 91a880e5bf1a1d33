"""The database engine of settings.DATABASES."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is looked at before each request without a round trip."""

    def is_usable(self) -> bool:
        """A server that went away has said so, or closed the line: only then is it asked, as Django
        asks it each time.
        """
        if self.connection is None:
            return False
        line = select.poll()
        line.register(self.connection.fileno(), select.POLLIN)
        return not line.poll(0) or bool(super().is_usable())
