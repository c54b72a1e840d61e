"""Looks at GES's lists while they shift, lie or fail."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from jobs.ges import http
from jobs.models import CallBudget, Graph, Job, Miss, Project, Snapshot, Watch
from jobs.polling import discovery, job_list

pytestmark = pytest.mark.django_db(transaction=True)


class Lists:
    """A GES with these lists; `before` is called with the offset of each page of jobs."""

    def __init__(self, upstream):
        self.upstream, self.project = upstream, upstream.project
        self.graphs, self.jobs, self.offsets, self.statuses = [], [], [], []
        self.before = lambda offset: None
        self.graph("g1", "g")
        upstream.body = self.answer

    def graph(self, graph_id, name, created="2020-01-01T00:00:00", job_ids=()):
        files = [{"path": "b/f.csv", "jobId": job_id, "status": "success"} for job_id in job_ids]
        self.graphs.append(
            {
                "id": graph_id,
                "name": name,
                "created": created,
                "vertexsetPath": files,
                "status": "200",
            }
        )

    def job(self, job_id, status="success", begin=None, graph="g", index=0, **more):
        begin = begin or f"{timezone.now():%Y-%m-%dT%H:%M:%S}"
        item = {
            "jobId": job_id,
            "status": status,
            "jobName": "ImportGraph",
            "relatedGraph": graph,
            "beginTime": begin,
        }
        self.jobs.insert(index, item | more)

    def answer(self, handler):
        address = urlsplit(handler.path)
        query = {name: int(value) for name, [value] in parse_qs(address.query).items()}
        if address.path.endswith("/status"):
            job_id = address.path.split("/")[-2]
            self.statuses.append(job_id)
            job = next((job for job in self.jobs if job["jobId"] == job_id), None)
            return json.dumps(
                job or {"errorCode": "GES.8301", "errorMessage": "can not find job"}
            ).encode()
        page = slice(query["offset"], query["offset"] + query["limit"])
        if address.path.endswith("/graphs"):
            return json.dumps(
                {"graphCount": len(self.graphs), "graphs": self.graphs[page]}
            ).encode()
        self.offsets.append(query["offset"])
        self.before(query["offset"])
        return json.dumps({"jobCount": len(self.jobs), "jobList": self.jobs[page]}).encode()

    def look(self):
        self.project.refresh_from_db()
        self.offsets.clear()
        discovery.discover(self.project)
        self.project.refresh_from_db()
        return self.offsets


@pytest.fixture
def lists(upstream, monkeypatch):
    monkeypatch.setattr(job_list, "HISTORY_SECONDS", 600.0)  # however busy the machine is
    Project.objects.update(calls_per_second=500, calls_per_minute=5000)
    return Lists(upstream)


def past(days, **more):
    return f"{timezone.now() - timedelta(days=days, **more):%Y-%m-%dT%H:%M:%S}"


def fill(lists, count):
    for number in range(count):
        lists.job(f"old{number}", begin=past(20 - 20 * number / count))


def test_a_listed_job_is_logged_with_its_graph(lists, caplog):
    lists.job("j1")
    lists.job("j2", graph="one without an id")
    with caplog.at_level("INFO"):
        lists.look()
    graphs_by_job = {
        one.job: one.graph for one in caplog.records if one.name == "jobs.polling.outcomes"
    }
    assert graphs_by_job == {"j1": "g1", "j2": None}


def test_no_job_is_missed_when_new_jobs_shift_the_pages(lists):
    fill(lists, 350)

    def push(offset):
        for number in range(30):
            lists.job(f"new{offset}.{number}")

    lists.before = push
    lists.look()
    lists.before = lambda offset: None
    lists.look()
    assert set(Job.objects.values_list("job_id", flat=True)) == {job["jobId"] for job in lists.jobs}
    assert lists.project.history_offset is None


def test_no_job_is_missed_when_jobs_leave_the_list_meanwhile(lists):
    fill(lists, 350)
    kept = {job["jobId"] for job in lists.jobs[60:]}

    def drop(offset):
        if offset and len(lists.jobs) == 350:
            del lists.jobs[:60]

    lists.before = drop
    lists.look()
    assert len(lists.jobs) == 290
    assert kept <= set(Job.objects.values_list("job_id", flat=True))


def test_the_history_is_read_on_from_where_it_was_interrupted(lists, monkeypatch):
    fill(lists, 450)

    def fail(offset):
        if offset > 200:
            lists.upstream.status = 500

    lists.before = fail
    lists.look()
    assert "500" in lists.project.problem
    assert 0 < lists.project.history_offset < 300
    offset_reached, lists.before, lists.upstream.status = (
        lists.project.history_offset,
        lambda offset: None,
        200,
    )
    lists.job("fresh", "running")
    offsets = lists.look()
    assert offsets[:3] == [0, 90, offset_reached], "the pages with something new, and on from there"
    assert Job.objects.count() == 451
    assert (lists.project.history_offset, lists.project.problem) == (None, "")
    assert lists.look() == [0], "later the newest page is enough"
    Project.objects.update(history_read_at=timezone.now() - job_list.REREAD_AFTER)
    assert max(lists.look()) > 300, "and once in a while all of it again"


def test_a_new_job_is_found_while_the_history_is_still_read(lists, monkeypatch):
    fill(lists, 450)
    monkeypatch.setattr(job_list, "HISTORY_SECONDS", 0.0)
    lists.look()
    lists.job("fresh", "running")
    lists.look()
    assert Watch.objects.get().job.job_id == "fresh"
    assert lists.project.history_read_at is None
    for _ in range(6):
        lists.look()
    assert Job.objects.count() == 451
    assert lists.project.history_read_at is not None


def test_pages_are_read_as_long_as_they_have_new_jobs(lists):
    fill(lists, 50)
    lists.look()
    for number in range(250):
        lists.job(f"burst{number}")
    lists.look()
    assert Job.objects.count() == 300


def test_a_list_with_the_oldest_first_is_read_to_its_end(lists):
    fill(lists, 250)
    lists.jobs.reverse()
    lists.look()
    lists.job("newest", at=250)
    lists.look()
    assert Job.objects.filter(job_id="newest").exists()


def test_reading_ends_when_ges_never_turns_the_page(lists):
    fill(lists, 300)
    answer = lists.answer
    lists.upstream.body = lambda handler: answer(
        type("H", (), {"path": handler.path.replace("offset=", "offset=0&x=")})
    )
    lists.look()
    assert len(lists.offsets) < 12
    assert Job.objects.count() == 100


def test_pages_over_the_size_limit_are_requested_in_smaller_ones(lists, monkeypatch):
    monkeypatch.setattr(http, "MAX_BODY", 20_000)
    fill(lists, 60)
    lists.job("giant", failReason="x" * 30_000, at=5)
    for number in range(60):
        lists.jobs[number]["failReason"] = lists.jobs[number].get("failReason", "y" * 700)
    lists.look()
    assert Job.objects.count() == 60
    assert lists.project.problem == ""


def test_a_throttled_list_pauses_the_project_for_its_retry_after(lists):
    lists.upstream.status, lists.upstream.headers = 429, {"Retry-After": "120"}
    lists.look()
    assert "429" in lists.project.problem
    left = CallBudget.objects.get().paused_until - timezone.now()
    assert timedelta(seconds=100) < left <= timedelta(seconds=121)
    count = len(lists.upstream.asked)
    lists.look()
    assert len(lists.upstream.asked) == count, "until then GES is left alone"


def test_an_item_of_the_list_counts_as_a_poll(lists):
    lists.job("j1", "running")
    lists.look()
    first = Watch.objects.get()
    assert first.next_poll_at > timezone.now(), "it was told just now"
    Watch.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    lists.look()
    assert Watch.objects.get().next_poll_at > timezone.now()
    assert Watch.objects.get().lease is None
    assert Snapshot.objects.get().source == "list"
    assert Snapshot.objects.get().seen >= 2
    lists.jobs[0]["status"] = "success"
    lists.look()
    assert Job.objects.get().verdict == "success"
    later = Watch.objects.get().next_poll_at - timezone.now()
    assert timedelta(minutes=9) < later <= timedelta(minutes=10), "a status call confirms it"
    assert lists.statuses == []


def test_a_list_leaves_the_claim_of_a_poll_under_way_alone(lists):
    lists.job("j1", "running")
    lists.look()
    now = timezone.now()
    Watch.objects.update(lease=5, leased_until=now + timedelta(seconds=30), next_poll_at=now)
    lists.look()
    held = Watch.objects.get()
    assert (held.lease, held.next_poll_at) == (5, now)


def test_pages_are_read_as_long_as_they_save_polls(lists):
    for number in range(350):
        lists.job(f"run{number}", "running", begin=past(3))
    lists.look()
    Watch.objects.update(next_poll_at=timezone.now())
    assert len(lists.look()) == 4
    assert not Watch.objects.due(timezone.now()).exists()
    Watch.objects.update(next_poll_at=timezone.now() + timedelta(hours=1))
    assert lists.look() == [0]


def test_an_unchanged_final_job_is_not_written_again(lists):
    lists.job("j1", endTime=past(0))
    lists.look()
    times = Snapshot.objects.get().seen
    lists.look()
    assert Snapshot.objects.get().seen == times
    lists.jobs[0]["status"] = "failed"
    lists.look()
    assert Snapshot.objects.count() == 2


def test_an_earlier_graph_of_the_same_name_keeps_its_jobs(lists):
    lists.graph("old", "name", created=past(30))
    lists.job("before", begin=past(20), graph="name")
    lists.look()
    lists.graphs.pop()
    lists.graph("new", "name", created=past(10))
    lists.job("late", begin=past(15), graph="name")  # the old graph's, seen after it was deleted
    lists.job("after", begin=past(5), graph="name")
    lists.job("waiting", "pending", graph="name")
    del lists.jobs[0]["beginTime"]
    lists.look()
    graphs_by_job = dict(Job.objects.values_list("job_id", "graph__graph_id"))
    assert graphs_by_job == {"before": "old", "late": "old", "after": "new", "waiting": "new"}
    assert Graph.objects.get(graph_id="old").is_deleted
    assert not Graph.objects.get(graph_id="new").is_deleted


def test_job_older_than_every_graph_of_its_name_is_kept_by_name(lists):
    lists.graph("new", "name", created=past(10))
    lists.job("ancient", begin=past(12), graph="name")
    lists.look()
    graph = Job.objects.get().graph
    assert (graph.graph_id, graph.name, graph.is_deleted) == (None, "name", True)


def test_a_job_known_by_name_moves_to_its_graph_once_that_is_listed(lists):
    kept, lists.graphs = lists.graphs, []
    lists.job("j1", "running")
    lists.look()
    assert Job.objects.get().graph.graph_id is None
    assert not Watch.objects.exists()
    lists.graphs = kept
    lists.look()
    assert Job.objects.get().graph.graph_id == "g1"
    assert Watch.objects.exists()


def test_a_graph_list_cut_short_marks_no_graph_as_deleted(lists):
    lists.graph("g2", "h")
    lists.look()
    answer = lists.answer

    def short(handler):
        listed = json.loads(answer(handler))
        if "graphs" in listed:
            listed["graphs"] = listed["graphs"][:1] if "offset=0&" in handler.path + "&" else []
        return json.dumps(listed).encode()

    lists.upstream.body = short
    lists.look()
    assert not Graph.objects.filter(is_deleted=True).exists()


def test_jobs_that_only_the_graph_list_names_are_requested_once(lists):
    lists.graph("g2", "h", job_ids=["kept", "gone", "listed"])
    lists.job("kept", "running", graph="h")
    hidden = lists.jobs.pop()
    lists.job("listed", graph="h")
    answer = lists.answer

    def answer_all(handler):
        if handler.path.endswith("/kept/status"):
            lists.statuses.append("kept")
            return json.dumps(hidden).encode()
        return answer(handler)

    lists.upstream.body = answer_all
    for _ in range(3):
        lists.look()
    assert sorted(lists.statuses) == ["gone", "kept"]
    assert Job.objects.get(job_id="kept").graph.graph_id == "g2"
    assert Watch.objects.filter(job__job_id="kept", next_poll_at__isnull=False).exists()
    assert not Job.objects.filter(job_id="gone").exists()
    assert not Miss.objects.exists()
    assert Graph.objects.get(graph_id="g2").forgotten_jobs == ["gone"]
    lists.graphs[-1]["vertexsetPath"] = []
    lists.look()
    assert Graph.objects.get(graph_id="g2").forgotten_jobs == []


def test_a_named_job_is_requested_again_after_ges_was_down(lists):
    lists.graph("g2", "h", job_ids=["kept"])
    answer = lists.answer

    lists.upstream.body = lambda handler: (
        None if handler.path.endswith("/status") else answer(handler)
    )
    lists.look()
    assert Graph.objects.get(graph_id="g2").forgotten_jobs == []


def test_an_item_that_cannot_be_recorded_leaves_the_others(lists, monkeypatch):
    from jobs.record import recorder

    fold = recorder._fold

    def fold_or_break(history, observation, count):
        if observation.job.job_id == "bad" and observation.reply is not None:
            raise ValueError("cannot fold")
        fold(history, observation, count)

    monkeypatch.setattr(recorder, "_fold", fold_or_break)
    for job_id in ("a", "bad", "b"):
        lists.job(job_id)
    lists.look()
    assert Snapshot.objects.count() == 2
    assert Miss.objects.get().kind == "not_recorded"
