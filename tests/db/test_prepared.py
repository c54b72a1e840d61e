"""Queries whose SQL is compiled once answer as those compiled at each call."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs.api.proxy.path import StatusPath
from jobs.api.proxy.stored import stored_reply
from jobs.db.prepared import Prepared
from jobs.models import AccessKey, Membership


def sees(user, job):
    path = StatusPath(job.project.project_id, job.graph.graph_id, job.job_id, version=1)
    return stored_reply(user, path) is not None


def test_the_kept_sql_of_one_user_never_answers_for_another(imported):
    member, stranger = User.objects.create_user("member"), User.objects.create_user("stranger")
    Membership.objects.create(user=member, project=imported.project, role="viewer")
    assert [sees(user, imported) for user in (member, stranger, member)] == [True, False, True]


def test_visibility_of_a_key_is_checked_at_every_call(imported, admin):
    key, _secret, _token = AccessKey.issue(admin, now=timezone.now(), projects=[imported.project])
    admin.access_key = key
    assert sees(admin, imported)
    key.projects.clear()
    assert not sees(admin, imported)


def test_a_value_that_does_not_arrive_in_the_sql_is_an_error(db):
    lost = Prepared(
        lambda shape, *, name: User.objects.filter(username=name.upper() + "x").values_list("pk")
    )
    with pytest.raises(ValueError, match="Not found in the SQL unchanged: name"):
        lost.rows(None, name="a")
