"""What is measured on is what the recorder would have made."""

import pytest

from bench import dataset
from jobs.models import ImportFile, Job, Review, Snapshot
from jobs.record import rebuild
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_copied_weeks_are_as_if_recorded(monkeypatch):
    monkeypatch.setattr(dataset, "WEEKS", 4)
    monkeypatch.setattr(dataset, "RUNNING", 3)
    monkeypatch.setattr(dataset, "GIANT", 8)
    dataset.fill(240, 3, NOW)
    before = (
        list(Job.objects.order_by("pk").values()),
        list(ImportFile.objects.order_by("pk").values()),
    )
    assert len(before[0]) == 240 + 3 + 2
    rebuild(list(Job.objects.all()))
    assert list(Job.objects.order_by("pk").values()) == before[0]
    assert list(ImportFile.objects.order_by("pk").values()) == before[1]
    assert Snapshot.objects.count() == 240 * 3 + 3 + 2
    assert set(Job.objects.values_list("review", flat=True)) >= {"waiting", "accepted"}
    assert all(
        job.review == job.reviews.latest("pk").state for job in Job.objects.exclude(reviews=None)
    )
    assert Review.objects.exists()
