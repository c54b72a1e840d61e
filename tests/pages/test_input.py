"""What people and programs put into addresses and forms: a clear sentence or a 4xx, never a 500."""

import re
from urllib.parse import quote, urlencode

import pytest
from django.urls import get_resolver, reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobs.lists.filters import STEERING
from jobs.lists.jobs import FILTERS
from jobs.models import Cause, Job
from tests.conftest import NOW
from tests.imports import file, record_reply

NONSENSE = {
    "nul": "%00",
    "long": "x" * 5000,
    "half a surrogate pair": "%ED%A0%80",
    "no utf-8": "%FF%FE",
    "emoji": quote("💥🇨🇳"),
    "negative": "-1",
    "huge": "9" * 400,
    "beyond digits": "9" * 5000,
    "other digits": quote("２²"),
    "not a number": "NaN",
    "exponent": "1e999999",
    "year one": "0001-01-01T00:00:00%2B14:00",
    "last year": "9999-12-31T23:59:59-14:00",
    "no day": "2026-02-30T00:00:00Z",
    "wrong zone": "Mars/Olympus",
    "a folder": "../../etc/passwd",
    "like": "%25_%5C",
    "quotes": quote("'\"<script>"),
}
HUGE = 2**63 + 5


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def job(project):
    return record_reply(
        project, "j1", file("b/v.csv", 3, cause="line 7: too long"), file("b/e.csv", kind="edge")
    )


@pytest.fixture
def pages(job):
    """Every address to be read, by its name."""
    args = {
        "graph": [job.graph_id],
        "cause": [Cause.objects.get().pk],
        "snapshot": [job.pk, job.snapshots.get().pk],
        **{name: [job.pk] for name in ("job", "compare", "repair", "history")},
    }
    names = ("overview", "graphs", "jobs", "jobs-news", "causes", "files", "preferences", *args)
    return {name: reverse(f"pages:{name}", args=args.get(name)) for name in names}


@pytest.mark.parametrize("value", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_in_any_filter_is_reported_or_finds_nothing(signed_in, pages, value):
    for name in [*FILTERS, *STEERING, "nonsense"]:
        for page in ("jobs", "graph"):
            answer = signed_in.get(f"{pages[page]}?{name}={value}")
            assert answer.status_code == 200, name
            content = answer.content.decode()
            is_refused = f'role="alert">{name}: ' in content
            assert is_refused or "No jobs match" in content or "j1" in content, name
            assert len(content) < 200_000
        news = signed_in.get(f"{pages['jobs-news']}?after=2026-01-01T00:00:00Z&{name}={value}")
        assert news.status_code in {200, 204}, name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("verdict=splendid", "expected pending, running, success"),
        ("review=done", "expected waiting, tolerated"),
        ("ledger=x", "expected adds_up"),
        ("loss_over=1.5", "a rate from 0 to 1, such as 0.05 or 5%"),
        ("cause_group=99999999999999999999", "the number of a failure reason"),
        ("began_after=soon", "a time such as"),
        ("zone=Mars", "a time zone such as"),
        ("sort=size", "expected one of begin_time"),
        ("page_size=0", "a number from 1 to 500"),
        ("cursor=zzz", "a position in this list"),
        ("color=red", "unknown filter; expected one of"),
    ],
)
def test_an_invalid_filter_is_named_with_what_was_expected(signed_in, job, name, expected):
    page = signed_in.get(f"/jobs/?{name}").content.decode()
    parameter = name.partition("=")[0]
    called = FILTERS[parameter].label if parameter in FILTERS else parameter
    assert f'role="alert">{called}: ' in page
    assert expected in page
    assert "j1" in page


@pytest.mark.parametrize(
    ("page", "query", "sentence"),
    [
        ("causes", "days=x", "days: “x” is not valid; expected 7, 30, 90."),
        ("graph", "days=x", "days: “x” is not valid; expected 1, 7, 30."),
        (
            "compare",
            "change=x",
            "change: “x” is not valid; expected new, gone, better, worse, same, cannot_tell.",
        ),
        ("compare", "with=x", "with: “x” is not valid"),
        (
            "compare",
            "with=99999999999999999999",
            "expected the number of another import of this graph",
        ),
        (
            "history",
            "before=x",
            "before: “x” is not valid; expected the number of a response of this job.",
        ),
        ("history", "before=99999999999999999999", "the number of a response of this job."),
        ("history", "before=4611686018427387904", "the number of a response of this job."),
        ("repair", "api=v3", "api: “v3” is not valid; expected v1, v2."),
        ("job", "group=x", "group: “x” is not valid; expected kind, verdict, folder, cause."),
        (
            "job",
            "cause_group=99999999999999999999",
            "cause_group: “99999999999999999999” is not valid",
        ),
        ("job", "kind=schema", "kind: “schema” is not valid; expected vertex, edge."),
        ("job", "verdict=x", "verdict: “x” is not valid"),
        ("job", "sort=size", "sort: “size” is not valid"),
        ("graphs", "sort=size", "sort: “size” is not valid"),
        ("files", "path=b/v.csv&sort=size", "sort: “size” is not valid"),
    ],
)
def test_each_page_names_invalid_parameters(signed_in, job, pages, page, query, sentence):
    record_reply(job.project, "j0", file("b/v.csv"), begin=NOW.replace(hour=1))
    content = signed_in.get(f"{pages[page]}?{query}").content.decode()
    assert sentence in content


NUMBERED = [
    pattern
    for pattern in get_resolver("jobs.pages.urls").url_patterns
    if "pk" in str(pattern.pattern)
]


@pytest.mark.parametrize("number", [0, 2**31, HUGE, 10**400], ids=lambda number: str(number)[:20])
def test_an_unknown_key_is_not_found(signed_in, job, number):
    for pattern in NUMBERED:
        address = "/" + str(pattern.pattern).replace("<int:pk>", str(number))
        address = address.replace("<int:snapshot_pk>", "1").replace("<int:correction_pk>", "1")
        assert {signed_in.get(address).status_code, signed_in.post(address).status_code} <= {
            404,
            405,
        }, address


@pytest.mark.parametrize(
    "number", [HUGE, "9" * 5000, 0, "x", "-1", "%00"], ids=lambda number: str(number)[:20]
)
def test_an_unknown_second_key_of_an_address_is_not_found(signed_in, job, number):
    assert signed_in.get(f"/jobs/{job.pk}/snapshots/{number}/").status_code == 404
    assert signed_in.post(f"/jobs/{job.pk}/corrections/{number}/undo/").status_code == 404


def test_the_address_of_a_job_that_was_deleted_is_not_found(signed_in, project):
    from jobs.record import find_graph, find_jobs

    job = find_jobs(project, [(find_graph(project, "g1"), "never heard of", NOW)])["never heard of"]
    assert signed_in.get(f"/jobs/{job.pk}/").status_code == 200
    job.delete()
    assert signed_in.get(f"/jobs/{job.pk}/").status_code == 404


def test_each_address_takes_only_its_method(signed_in, pages, job):
    for name, address in pages.items():
        assert signed_in.head(address).status_code in {200, 204}, name
        assert signed_in.put(address).status_code == 405, name
        if name != "preferences":
            assert signed_in.post(address).status_code == 405, name
    writing = {
        "watch-job": [job.graph_id],
        "set-tolerance": [job.graph_id],
        "save-view": [],
        "delete-view": [1],
        "decide": [job.pk],
        "poll-now": [job.pk],
        "undo-correction": [job.pk, 1],
        "note": [Cause.objects.get().pk],
    }
    for name, args in writing.items():
        assert signed_in.get(reverse(f"pages:{name}", args=args)).status_code == 405, name


@pytest.mark.parametrize(
    "query",
    [
        "",
        "after=",
        "after=x",
        "after=2026-13-45T00:00:00Z",
        "after=2026-01-01",
        "after=2026-01-01T00:00:00",
        "after=0001-01-01T00:00:00%2B14:00",
        "after=9999-12-31T23:59:59-14:00",
        "after=%00",
    ],
)
def test_news_without_a_time_are_none(signed_in, pages, query):
    assert signed_in.get(f"{pages['jobs-news']}?{query}").status_code in {200, 204}


@pytest.mark.parametrize("name", ["rows", "of", "told", "seen"])
def test_news_with_garbage(signed_in, pages, name):
    for value in [*NONSENSE.values(), str(HUGE), ",,,", "1," * 2000]:
        address = f"{pages['jobs-news']}?after=2026-01-01T00:00:00Z&{name}={value}"
        assert signed_in.get(address, headers={"HX-Request": "true"}).status_code in {200, 204}, (
            value
        )


FORMS = {
    "decide": {
        "state": "to_fix",
        "note": "n",
        "known": "0",
        "assignee": "",
        "due_on": "",
        "fixed_by": "",
        "next": "",
    },
    "set-tolerance": {"share": "0.5"},
    "note": {"note": "n"},
    "watch-job": {"job_id": "j9"},
    "save-view": {"name": "n", "query": "verdict=failed", "is_shared": "on"},
    "preferences": {"zone": "UTC"},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_in_a_form_is_refused_on_its_page(signed_in, pages, job, form, value):
    args = {
        "decide": [job.pk],
        "set-tolerance": [job.graph_id],
        "note": [Cause.objects.get().pk],
        "watch-job": [job.graph_id],
    }
    address = reverse(f"pages:{form}", args=args.get(form))
    for name in FORMS[form]:
        for state in ("fixed", "accepted") if form == "decide" else [""]:
            typed = {**FORMS[form], **({"state": state} if state else {}), name: ""}
            sent = f"{urlencode(typed).replace(f'{name}=', f'{name}={value}')}"
            answer = signed_in.post(address, sent, content_type="application/x-www-form-urlencoded")
            assert answer.status_code == 302, name
            page = signed_in.get(answer.headers["Location"])
            assert page.status_code == 200, name
            assert b"psycopg" not in page.content
            assert b"invalid literal" not in page.content
            assert b"NUL" not in re.sub(
                rb'value="[A-Za-z0-9]{64}"', b"", page.content
            )  # the random token may hold it


PARAMETERS = [
    *FILTERS,
    *STEERING,
    "days",
    "seen",
    "change",
    "with",
    "group",
    "kind",
    "file",
    "folder",
    "before",
    "has",
    "name",
    "after",
    "rows",
    "of",
    "api",
    "list",
    "raw",
]
values = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "1",
        "-1",
        "0",
        str(HUGE),
        "NaN",
        "1e999",
        "x",
        "\x00",
        "2026-03-04",
        "2026-03-04T12:00:00Z",
        "0001-01-01",
        "UTC",
        "²",
        "worst",
        "-path",
        "path",
        "failed_lines",
        "-begin_time",
        "b/",
        "v1",
        "WyJwYXRoIiwgImIiLCAxLCBmYWxzZV0",
    ]
)


def test_no_query_string_breaks_any_page(signed_in, pages):
    @given(
        st.sampled_from(sorted(pages)),
        st.lists(st.tuples(st.sampled_from(PARAMETERS), values), max_size=4),
        st.booleans(),
    )
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @example("graphs", [("name", "\x00")], False)
    @example("job", [("file", "\x00"), ("cause_group", "\ud7ff")], True)
    @example("snapshot", [("raw", "1")], True)
    def ask(name, query, htmx):
        headers = {"HX-Request": "true"} if htmx else {}
        answer = signed_in.get(f"{pages[name]}?{urlencode(query)}", headers=headers)
        assert answer.status_code in {200, 204}

    ask()
    assert Job.objects.count() == 1


def test_too_many_parameters_are_refused(signed_in):
    refused = signed_in.get("/jobs/?" + "&".join(["verdict=failed"] * 1500))
    assert refused.status_code == 400
    assert "Use fewer filters" in refused.content.decode()
