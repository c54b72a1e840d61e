"""Django's PostgreSQL backend on our own server, which starts with the first connection."""

from typing import Any

from django.db.backends.postgresql import base

from gesdash import database


class DatabaseWrapper(base.DatabaseWrapper):
    """Only the address differs: a socket known once the server runs."""

    def get_connection_params(self) -> dict[str, Any]:
        """Where to connect, with the server running."""
        self.settings_dict["HOST"] = database.start_embedded()
        return super().get_connection_params()
