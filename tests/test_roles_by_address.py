"""What each role may do at each address of the site; an address without a line here fails."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from jobs.audit import entries
from jobs.decisions.corrections import correct
from jobs.models import (
    AccessKey,
    AuditEntry,
    Cause,
    Correction,
    Graph,
    ImportFile,
    Membership,
    Project,
    Review,
    SavedView,
    Watch,
)
from jobs.proof.seal import seal
from tests.conftest import NOW
from tests.imports import file, record_reply

ROLES = (
    "anonymous",
    "outsider",
    "viewer",
    "auditor",
    "reviewer",
    "fixer",
    "owner",
    "administrator",
)
MEMBERS = ROLES[2:]
REVIEWERS, FIXERS, OWNERS = (
    ("reviewer", "fixer", "owner", "administrator"),
    ("fixer", "owner", "administrator"),
    ("owner", "administrator"),
)

#: What an address is: `open` to all; a `list`, of which each sees their own part; `mine`, one's
#: own objects, which nobody else finds; or an object of the project, which members `read`, or on
#: which the named roles act.
#: Fixers also need Django's permission to correct, which no user here but the administrator has.
PAGES = {
    "": "list",
    "graphs/": "list",
    "jobs/": "list",
    "jobs/news/": "list",
    "causes/": "list",
    "files/": "list",
    "audit/": "list",
    "audit/export/": "list",
    "proof/": "list",
    "jobs/evidence/": "list",
    "jobs/<int:pk>/evidence/": "read",
    "proof/<int:pk>/checkpoints/<int:number>/": "read",
    "status/": "list",
    "metrics": "list",
    "graphs/<int:pk>/": "read",
    "jobs/<int:pk>/": "read",
    "jobs/<int:pk>/compare/": "read",
    "jobs/<int:pk>/repair/": "read",
    "jobs/<int:pk>/history/": "read",
    "jobs/<int:pk>/snapshots/<int:snapshot_pk>/": "read",
    "causes/<int:pk>/": "read",
    "jobs/<int:pk>/later/": "read",
    "graphs/<int:pk>/watch/": REVIEWERS,
    "jobs/<int:pk>/review/": REVIEWERS,
    "jobs/<int:pk>/poll/": REVIEWERS,
    "causes/<int:pk>/note/": REVIEWERS,
    "graphs/<int:pk>/tolerance/": OWNERS,
    "jobs/<int:pk>/corrections/<int:correction_pk>/undo/": ("administrator",),
    "projects/<int:pk>/": OWNERS,
    "projects/<int:pk>/members/": OWNERS,
    "projects/<int:pk>/retention/": OWNERS,
    "projects/<int:pk>/keys/<int:key_pk>/shut-out/": OWNERS,
    "jobs/views/": "signed in",
    "me/": "signed in",
    "me/keys/": "signed in",
    "jobs/views/<int:pk>/delete/": "mine",
    "jobs/views/<int:pk>/count/": "mine",
    "me/keys/<int:pk>/revoke/": "mine",
    "healthz": "open",
    "readyz": "open",
    "login/": "open",
    "logout/": "open",
    "language/": "open",
}
API = {
    "api/": "list",
    "api/projects/": "list",
    "api/graphs/": "list",
    "api/jobs/": "list",
    "api/causes/": "list",
    "api/keys/": "list",
    "api/projects/<int:pk>/": "read",
    "api/graphs/<int:pk>/": "read",
    "api/jobs/<int:pk>/": "read",
    "api/jobs/<int:pk>/files/": "read",
    "api/jobs/<int:pk>/snapshots/": "read",
    "api/jobs/<int:pk>/misses/": "read",
    "api/jobs/<int:pk>/reviews/": "read",
    "api/jobs/<int:pk>/corrections/": "read",
    "api/snapshots/<int:pk>/": "read",
    "api/snapshots/<int:pk>/body/": "read",
    "api/schema/": "open",
    "api/docs/": "open",
    "api/corrections/<int:pk>/undo/": ("administrator",),
    "^(?:v1\\.0|v2)/": "proxy",
}
DOORS = PAGES | API
#: Those that only a POST opens.
WRITING = [
    route
    for route, kind in DOORS.items()
    if isinstance(kind, tuple) and route != "projects/<int:pk>/"
] + [
    "jobs/views/",
    "jobs/views/<int:pk>/delete/",
    "me/keys/<int:pk>/revoke/",
]
SECRETS = ("secretgraph", "secret-path", "secret cause", "lossy-job-id", "secret note")


def every_route():
    """All addresses but the admin's, which has rules of its own below."""
    routes = []

    def walk(patterns, before=""):
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                routes.append(route)
            elif route != "admin/":
                walk(pattern.url_patterns, route)

    walk(get_resolver().url_patterns)
    return routes


def test_every_address_has_a_line_and_every_line_an_address():
    assert sorted(every_route()) == sorted(DOORS)


@pytest.fixture
def world(project, db):
    """One of everything in p1, and a user for each role."""
    job = record_reply(
        project,
        "lossy-job-id",
        file("b/secret-path.csv", 3, cause="line 7: a secret cause"),
        graph="secretgraph",
    )
    users = {role: User.objects.create_user(role) for role in MEMBERS[:-1]}
    for role, user in users.items():
        Membership.objects.create(project=project, user=user, role=role)
    users["outsider"] = User.objects.create_user("outsider")
    Membership.objects.create(
        project=Project.objects.create(project_id="p2"), user=users["outsider"], role="owner"
    )
    users["administrator"] = User.objects.create_superuser("administrator")
    correction = correct(
        job,
        kind="",
        position=None,
        field="job_name",
        corrected="x",
        reason="secret note",
        actor=users["fixer"],
        now=NOW,
    )
    cause = Cause.objects.get()
    view = SavedView.objects.create(owner=users["viewer"], name="mine", created_at=NOW)
    key, *_ = AccessKey.issue(users["viewer"], now=timezone.now(), projects=[project])
    pks = {
        "graphs": job.graph_id,
        "jobs": job.pk,
        "causes": cause.pk,
        "projects": project.pk,
        "views": view.pk,
        "keys": key.pk,
        "corrections": correction.pk,
        "proof": project.pk,
        "number": checkpoint(project),
        "snapshot_pk": job.snapshots.get().pk,
        "correction_pk": correction.pk,
        "key_pk": key.pk,
        "snapshots": job.snapshots.get().pk,
    }
    return {"users": users, "job": job, "pks": pks}


def checkpoint(project):
    """The number of the one it has."""
    return seal(project, now=NOW).number


def address(route, pks, other=False):
    """The address of a thing; or of one that is not there."""
    if route.startswith("^"):
        return "/v1.0/{}/graphs/id-of-secretgraph/jobs/lossy-job-id/status".format(
            "none" if other else "p1"
        )

    def key(match):
        name = match[1]
        noun = re.findall(r"(\w+)/<int:pk>", route)[0] if name == "pk" else name
        return str(10**9 + pks[noun] if other else pks[noun])

    return "/" + re.sub(r"<int:(\w+)>", key, route)


def ask(world, role, route, other=False, **headers):
    client = Client()
    user = world["users"].get(role)
    if user:
        if route.startswith(("api/", "^", "metrics")) and route != "api/docs/":
            _key, _secret, token = AccessKey.issue(user, now=timezone.now())
            headers["Authorization"] = f"Bearer {token}"
        else:
            client.force_login(user)
    method = client.post if route in WRITING else client.get
    answer = method(address(route, world["pks"], other), headers=headers)
    if answer.streaming:
        list(answer.streaming_content)  # to its end, so that nothing of it is under way any more
    return answer


def allowed(kind, role, route):
    """Whether the door opens."""
    if kind == "open":
        return True
    if role == "anonymous":
        return False
    if kind in {"list", "signed in"}:
        return True
    if kind == "mine":
        return role == "viewer"
    return role in (MEMBERS if kind in {"read", "proxy"} else kind)


def expected(kind, role, route):
    """The statuses that will do."""
    if allowed(kind, role, route):
        return (
            {200, 204, 302, 400}
            if route in WRITING or kind in {"open", "signed in"}
            else {200, 204}
        )
    if role == "anonymous":
        return (
            {401} if route.startswith(("api/", "^", "metrics")) and route != "api/docs/" else {302}
        )
    if kind == "proxy":
        return {403}
    return {404} if role == "outsider" or kind == "mine" else {403}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_at_each_address(world, role, monkeypatch):
    monkeypatch.setattr(entries, "rate_limit", entries._RateLimit())
    before = rows()
    faults = []
    for route, kind in DOORS.items():
        if allowed(kind, role, route) and route in WRITING:
            continue  # what they may do is tested where it is done; here nothing is to change
        if route in {"logout/", "language/", "jobs/news/"}:
            continue
        answer = ask(world, role, route)
        status = answer.status_code
        if status not in expected(kind, role, route):
            faults.append((route, status))
        if (
            status == 302
            and not allowed(kind, role, route)
            and not answer.headers["Location"].startswith("/login/")
        ):
            faults.append((route, answer.headers["Location"]))
        if role in {"anonymous", "outsider"} and not answer.streaming:
            text = answer.content.decode(errors="replace")
            faults += [(route, secret) for secret in SECRETS if secret in text]
    assert faults == []
    assert rows() == before


@pytest.mark.parametrize("role", MEMBERS)
def test_each_role_can_do_what_it_may(world, role, simulator, monkeypatch):
    """A door that is shut to all would pass the other tests as well."""
    monkeypatch.setattr(entries, "rate_limit", entries._RateLimit())
    for route in WRITING:
        if isinstance(DOORS[route], tuple) and role in DOORS[route] and "undo" not in route:
            assert ask(world, role, route).status_code in {200, 302, 400}, route


def rows():
    """What a refused request must not change, apart from the audit log and the keys made for it."""
    tables = [Review, Correction, Watch, SavedView, Membership, Graph, Cause, ImportFile]
    return {table: list(table.objects.order_by("pk").values()) for table in tables}


THINGS = [route for route in DOORS if "<int" in route or route.startswith("^")]


@pytest.mark.parametrize("route", THINGS)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "part"])
def test_to_an_outsider_existing_and_missing_objects_look_the_same(
    world, route, headers, monkeypatch
):
    monkeypatch.setattr(entries, "rate_limit", entries._RateLimit())
    there, nothing = (ask(world, "outsider", route, other, **headers) for other in (False, True))
    assert there.status_code == nothing.status_code
    assert without_tokens(there.content) == without_tokens(nothing.content)
    same = {
        name: value
        for name, value in there.headers.items()
        if name not in {"X-Request-Id", "Content-Length", "ETag"}
    }
    assert same == {name: nothing.headers.get(name) for name in same}


def without_tokens(content):
    return re.sub(
        rb'name="csrfmiddlewaretoken" value="\w+"|p1|none|\d+-\d+-\d+T[\d:.]+Z|\b1?0*\d+\b',
        b"",
        content,
    )


@pytest.mark.parametrize(
    "query",
    [
        "jobs/?graph=secretgraph",
        "jobs/?project=p1",
        "jobs/?cause=secret",
        "jobs/?job_id=lossy",
        "files/?path=b/secret-path.csv",
        "causes/?has=secret",
        "graphs/?name=secret",
        "audit/?project=p1",
        "audit/?object=lossy",
        "api/jobs/?project=p1",
        "api/graphs/?project=p1",
        "api/causes/?project=p1",
    ],
)
def test_no_filter_or_count_reveals_to_an_outsider_that_an_object_exists(world, query):
    client = Client()
    client.force_login(world["users"]["outsider"])
    response = client.get(f"/{query}")
    assert response.status_code == 200
    other = re.sub(r"=.*", "=there-is-none", query)

    def clean(content, query_value):
        return without_tokens(content.replace(query_value.encode(), b""))

    value = query.partition("=")[2]
    from urllib.parse import quote

    first = clean(response.content.replace(quote(value, safe="").encode(), b""), value)
    second = clean(client.get(f"/{other}").content, "there-is-none")
    assert first == second


# The admin


def admin_routes():
    routes = []

    def walk(patterns, before):
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                routes.append((route, pattern.name))
            else:
                walk(pattern.url_patterns, route)

    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) == "admin/":
            walk(pattern.url_patterns, "admin/")
    return routes


@pytest.mark.parametrize("role", [role for role in ROLES if role != "administrator"])
def test_only_staff_enter_the_admin_at_any_address(world, role):
    client = Client()
    if role in world["users"]:
        client.force_login(world["users"][role])
    for route, name in admin_routes():
        if name in {"login", "logout", "jsi18n"}:
            continue
        path = "/" + re.sub(r"<[^>]*>|\(\?P<[^>]*>[^)]*\)", "1", route).replace("^", "").replace(
            "$", ""
        )
        for method in (client.get, client.post):
            answer = method(path)
            assert answer.status_code in {302, 403, 404}, path
            assert (
                answer.status_code != 302
                or "/login/" in answer.headers["Location"]
                or name == "view_on_site"
                or route.endswith(("1/", "url>"))
            ), path


@pytest.mark.parametrize("role", ["viewer", "auditor", "reviewer", "fixer"])
def test_staff_with_every_permission_manage_no_members_of_others_projects(world, role, project):
    user = world["users"][role]
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    membership = Membership.objects.get(user=world["users"]["viewer"])
    client.post(
        f"/admin/jobs/membership/{membership.pk}/change/",
        {"user": membership.user_id, "project": project.pk, "role": "owner"},
    )
    client.post(
        "/admin/jobs/membership/add/",
        {"user": world["users"]["outsider"].pk, "project": project.pk, "role": "owner"},
    )
    client.post(f"/admin/jobs/membership/{membership.pk}/delete/", {"post": "yes"})
    client.post(f"/admin/jobs/graph/{world['pks']['graphs']}/change/", {"tolerated_loss": "1"})
    client.post(f"/admin/jobs/project/{project.pk}/change/", {"name": "mine now"})
    assert Membership.objects.get(pk=membership.pk).role == "viewer"
    assert Membership.objects.filter(project=project).count() == 5
    project.refresh_from_db()
    assert (Graph.objects.get().tolerated_loss, project.name) == (None, "")


def test_staff_who_own_a_project_manage_its_members_in_the_admin(world, project):
    user = world["users"]["owner"]
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    member = {"user": world["users"]["outsider"].pk, "project": project.pk, "role": "viewer"}
    assert client.post("/admin/jobs/membership/add/", member).status_code == 302
    assert Membership.objects.get(project=project, user=world["users"]["outsider"]).role == "viewer"


# An owner's page


def test_an_owner_sets_the_members_of_a_project(world, project):
    client = Client()
    client.force_login(world["users"]["owner"])
    members = f"/projects/{project.pk}/members/"
    client.post(members, {"username": "outsider", "role": "reviewer"})
    assert Membership.objects.get(project=project, user__username="outsider").role == "reviewer"
    client.post(members, {"username": "outsider", "role": "fixer"})
    client.post(members, {"username": "viewer", "role": ""})
    assert set(
        Membership.objects.filter(project=project).values_list("user__username", "role")
    ) == {
        ("outsider", "fixer"),
        ("auditor", "auditor"),
        ("reviewer", "reviewer"),
        ("fixer", "fixer"),
        ("owner", "owner"),
    }
    newest = AuditEntry.objects.filter(what="membership").latest("pk")
    assert (newest.deed, newest.object_name, newest.actor) == ("deleted", "viewer", "owner")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"username": "nobody", "role": "viewer"}, "“nobody” is not a user who can sign in."),
        ({"username": "", "role": "viewer"}, "“” is not a user who can sign in."),
        ({"username": "viewer", "role": "king"}, "role: “king” is not valid"),
        ({"username": "owner", "role": "viewer"}, "owner is the only owner"),
        ({"username": "owner", "role": ""}, "owner is the only owner"),
    ],
)
def test_an_invalid_membership_is_refused_and_changes_nothing(world, project, form, sentence):
    client = Client()
    client.force_login(world["users"]["owner"])
    before = list(Membership.objects.order_by("pk").values())
    page = client.post(f"/projects/{project.pk}/members/", form, follow=True).content.decode()
    assert sentence.replace("’", "&#x27;") in page
    assert list(Membership.objects.order_by("pk").values()) == before


def test_an_owner_removes_the_access_of_a_key(world, project):
    client = Client()
    client.force_login(world["users"]["owner"])
    key = AccessKey.objects.get(projects=project)
    assert key.access_key in client.get(f"/projects/{project.pk}/").content.decode()
    client.post(f"/projects/{project.pk}/keys/{key.pk}/shut-out/")
    assert not key.projects.exists()
    assert AccessKey.objects.filter(pk=key.pk, revoked_at=None).exists()


def test_a_viewer_is_told_who_may_poll_and_track(world):
    client = Client()
    client.force_login(world["users"]["viewer"])
    assert (
        "Reviewers and above can refresh from GES"
        in client.get(f"/jobs/{world['pks']['jobs']}/").content.decode()
    )
    assert (
        "Reviewers and above can start tracking"
        in client.get(f"/graphs/{world['pks']['graphs']}/").content.decode()
    )
    client.force_login(world["users"]["reviewer"])
    assert "Refresh from GES" in client.get(f"/jobs/{world['pks']['jobs']}/").content.decode()
