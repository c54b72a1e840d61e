"""The PostgreSQL of our own."""

import pytest
from django.db import connection

from gesdash.database import _give_memory


def test_our_server_takes_more_memory_than_postgresql_would_and_is_asked_once(db):
    if connection.settings_dict["ENGINE"] != "gesdash.embedded":
        pytest.skip("DATABASE_URL names another")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setting::int / 128, sourcefile FROM pg_settings WHERE name = 'shared_buffers'"
        )
        megabytes, said_in = cursor.fetchone()
    assert 128 <= megabytes <= 512
    assert said_in.endswith("postgresql.auto.conf")
    assert not _give_memory(connection.settings_dict["HOST"])
