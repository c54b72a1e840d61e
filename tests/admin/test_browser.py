"""The admin in a real browser: nothing that the content policy refuses, nothing wider than the screen, in light and dark."""

from itertools import product

import pytest
from django.urls import reverse

from jobs.models import ImportFile
from tests.factories import NOW

LONG = (
    "b/"
    + "/".join(f"nested-folder-with-a-long-name-{n}" for n in range(28))
    + """/<script>alert("it's")</script>.csv"""
)


@pytest.fixture
def pages(imported, admin):
    """The pages to look at, the job's file being one with a long path and a long cause."""
    from jobs.decisions.corrections import correct

    ImportFile.objects.filter(kind="edge").update(path=LONG, cause="x" * 13_000)
    file = imported.files.get(kind="edge")
    made = correct(
        imported,
        kind="",
        position=None,
        field="job_name",
        corrected="X",
        reason="r",
        actor=admin,
        now=NOW,
    )
    ImportFile.objects.filter(pk=file.pk).update(path=LONG, cause="x" * 13_000)
    lists = [
        f"admin:jobs_{table}_changelist"
        for table in ("job", "importfile", "snapshot", "correction", "membership")
    ]
    return [
        reverse("admin:index"),
        *map(reverse, lists),
        reverse("admin:jobs_job_change", args=[imported.pk]),
        reverse("admin:jobs_importfile_change", args=[file.pk]),
        reverse("admin:jobs_snapshot_change", args=[imported.snapshots.get().pk]),
        reverse("admin:jobs_correction_change", args=[made.pk]),
        reverse("admin:jobs_job_correct", args=[imported.pk]) + "?where=edge:0&field=cause",
        reverse("admin:jobs_membership_add"),
    ]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_admin_obeys_the_content_policy_and_fits_the_screen(visit, pages):
    wrong = []
    for scheme, width in product(("light", "dark"), (1280, 390)):
        page = visit(color_scheme=scheme, width=width, height=900)
        for path in pages:
            answer = page.goto(path)
            too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if answer.status != 200 or too_wide > 0:
                wrong.append((scheme, width, path, answer.status, f"{too_wide} px too wide"))
        wrong += [(scheme, width, said) for said in page.complaints]
    assert wrong == []
