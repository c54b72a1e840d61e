"""What makes a migration, and what does not."""

import pytest
from django.core.management import call_command

from jobs.models import Job


@pytest.mark.django_db
def test_labels_make_no_migration(monkeypatch, capsys):
    field = Job._meta.get_field("job_name")
    monkeypatch.setattr(field, "_verbose_name", "another label")
    monkeypatch.setattr(field, "help_text", "another help text")
    monkeypatch.setattr(Job._meta, "verbose_name", "another name")
    call_command("makemigrations", "jobs", check_changes=True, dry_run=True)
    assert "No changes" in capsys.readouterr().out


@pytest.mark.django_db
def test_columns_do(monkeypatch, capsys):
    monkeypatch.setattr(Job._meta.get_field("job_name"), "max_length", 7)
    with pytest.raises(SystemExit):
        call_command("makemigrations", "jobs", check_changes=True, dry_run=True)
    assert "job_name" in capsys.readouterr().out
