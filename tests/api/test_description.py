"""The description of the API, held against the API by schemathesis."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi

from jobs.models import Correction, Review
from tests.factories import NOW

CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
    openapi.unsupported_method,
]
# What may be decided about a job depends on the job, which no description says; what may be asked for is described whole.
ASKING = [*CHECKS, openapi.positive_data_acceptance]
# A list of texts is sent as a parameter repeated: an object in its place arrives as good text, and is rightly answered.
REPEATED = [check for check in ASKING if check is not openapi.negative_data_rejection]
GIVEN = {
    "/api/jobs/{id}/reviews/": {"state": "to_fix", "note": "the label is missing"},
    "/api/corrections/{id}/undo/": {"reason": "it was right"},
    "/api/jobs/{id}/corrections/": {
        "field": "job_name",
        "corrected": "ImportGraph",
        "reason": "it was one",
    },
}
FEW = settings(
    max_examples=10, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # fmt: skip
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def described(imported, admin, key, live_server):
    """The description, over a job with something of everything."""
    Correction.objects.create(
        job=imported,
        field="status",
        observed="a",
        corrected="b",
        reason="c",
        actor=admin,
        made_at=NOW,
    )
    Review.objects.create(job=imported, state="to_fix", note="n", actor=admin, made_at=NOW)
    return schemathesis.openapi.from_url(f"{live_server.url}/api/schema/")


def test_every_operation_conforms_to_the_description(described, shown, imported):
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) == 19
    for operation in operations:
        about = imported.snapshots.get() if "/snapshots/{id}/" in operation.path else imported
        about = {"/api/graphs/{id}/": imported.graph, "/api/projects/{id}/": imported.project}.get(
            operation.path, about
        )
        about = imported.corrections.order_by("pk").first() if "/undo/" in operation.path else about
        names = {parameter.name for parameter in operation.path_parameters}
        given = (
            {"body": GIVEN[operation.path], "media_type": "application/json"}
            if operation.path in GIVEN and operation.method == "post"
            else {}
        )
        good = operation.Case(path_parameters=dict.fromkeys(names, about.pk), **given)
        answer = good.call_and_validate(headers=shown, checks=CHECKS)
        assert answer.status_code == (201 if given and "/undo/" not in operation.path else 200), (
            operation.label
        )
        assert good.call(headers={"X-Auth-Token": "no"}).status_code == 401, operation.label
        keeps(operation, GenerationMode.POSITIVE, shown)
        if list(operation.path_parameters) or list(operation.query):
            keeps(operation, GenerationMode.NEGATIVE, shown)


def keeps(operation, mode, shown):
    """Whatever is asked of an operation, right or wrong, its answer is one of the described."""

    @FEW
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_described(case):
        if mode is GenerationMode.POSITIVE and case.query:
            case.query.pop("cursor", None)  # text, of which only what the API gave is a position
        checks = (
            CHECKS
            if operation.method == "post"
            else REPEATED
            if operation.path == "/api/jobs/"
            else ASKING
        )
        case.call_and_validate(headers=shown, checks=checks)

    answers_as_described()
