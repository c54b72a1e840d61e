"""The way from the schema of version 0.1.0, with rows in the tables, and what is refused."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from jobs.decisions.review import set_tolerance
from jobs.models import AuditCoverage, AuditEntry, Contradiction, Job, Project
from jobs.record import find_graph, find_jobs, observe, record
from tests.factories import NOW, body

VERSION_0_1_0 = "0003_storage"  # as the last migration before the squash left the tables


@pytest.fixture
def filled(transactional_db):
    """A contradiction, a peculiarity and an audit entry."""
    project = Project.objects.create(project_id="p1")
    graph = find_graph(project, "g1")
    job = find_jobs(project, [(graph, "j1", NOW)])["j1"]
    for seconds, status in enumerate(("success", "running")):
        reply = body("j1", status, beginTime="when?")
        record([observe(job, "poll", NOW + timedelta(seconds=seconds), 200, reply)])
    set_tolerance(graph, "0.1", now=NOW)
    yield graph
    call_command("migrate", "jobs", verbosity=0)


def rows():
    return [
        list(model.objects.order_by("pk").values()) for model in (Job, Contradiction, AuditEntry)
    ]


def test_rows_of_version_0_1_0_are_kept(filled):
    before = rows()
    assert all(before)
    call_command("migrate", "jobs", VERSION_0_1_0, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT odd_count, jsonb_array_length(oddities) FROM jobs_job")
        assert cursor.fetchall() == [(1, 1)]
        cursor.execute("SELECT count(*) FROM jobs_oddreply")
        assert cursor.fetchone() == (1,)
    call_command("migrate", "jobs", verbosity=0)
    assert rows() == before
    applied = MigrationRecorder(connection).applied_migrations()
    assert AuditCoverage.objects.get().since == applied["jobs", "0010_fixes"].applied
    set_tolerance(filled, "0.2", now=NOW)
    entries = AuditEntry.objects.filter(what="graph")
    assert entries.count() == 2, "the trigger writes to the renamed table"
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        entries.update(reason="altered")


def test_a_database_from_between_squashed_migrations_is_refused(db):
    MigrationRecorder(connection).record_unapplied("jobs", "0013_rests_on")
    with pytest.raises(CommandError, match="up to 0012_undone_because.*expected all up to 0013"):
        call_command("migrate", verbosity=0)
