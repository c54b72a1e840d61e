"""The Simplified Chinese catalogue is complete, and no page shows English to a Chinese reader."""

import gettext
import io
import re
import zipfile
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib import admin as django_admin
from django.template.base import Lexer, TokenType
from django.urls import reverse
from django.utils.translation import templatize

from jobs.models import AccessKey, Cause, Job
from jobs.pages.urls import auth_urlpatterns, urlpatterns
from tests.conftest import NOW, body

HERE = settings.BASE_DIR / "locale/zh_Hans/LC_MESSAGES"
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SOURCES = sorted(
    path for app in ("gesdash", "jobs") for path in (settings.BASE_DIR / app).rglob("*.py")
)
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"]),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
}
ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
PLACE = re.compile(r"%\((\w+)\)|\{(\w+)\}")
# Names, units and GES's own words: the same in every language.
ALIKE = {
    "gesdash",
    "GES",
    "API",
    "JSON",
    "SHA",
    "HTTP",
    "UTC",
    "URL",
    "ID",
    "English",
    "v1",
    "v2",
    "B",
    "k",
    "M",
    "bucket",
    "folder",
    "part",
    "csv",
    "CSV",
    "Lines",
    "partiallyFailed",
    "GraphManagement",
    "IAM",
    "Token",
}
THEIRS = {
    "Procrastinate jobs",
    "- Select an option -",
}  # of Procrastinate and of Django, which have no Chinese for them
WORD = re.compile(r"[A-Za-z]{2,}")


def extracted(path: Path) -> list[str | tuple[str, str]]:
    """The texts a file marks; a template as Django reads it, by line since it is no Python."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    calls = extract_python(io.BytesIO(text.encode()), list(KEYWORDS), [], {"encoding": "utf-8"})
    texts = []
    for _line, function, arguments, _comments in calls:
        places = KEYWORDS[function]
        arguments = arguments if isinstance(arguments, tuple) else (arguments,)
        text = tuple(arguments[position - 1] for position in places) if places else arguments[0]
        if text and all(text):
            texts.append(text)
    return texts


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (HERE / "django.po").open("rb") as stored:
        return read_po(stored, locale="zh_Hans")


def forms(text):
    return [text] if isinstance(text, str) else list(text)


# The catalogue


@pytest.mark.parametrize(
    "path", [*TEMPLATES, *SOURCES], ids=lambda path: str(path.relative_to(settings.BASE_DIR))
)
def test_every_marked_text_is_translated(catalogue, path):
    for text in extracted(path):
        message = catalogue.get(forms(text)[0])
        assert message is not None, f"{text!r} is not in django.po"
        assert not message.fuzzy, f"the translation of {text!r} is only a guess"
        assert all(forms(message.string)), f"{text!r} has no translation"
        if not isinstance(text, str):
            assert message.id == text


def test_no_translation_is_left_over(catalogue):
    marked = {forms(text)[0] for path in (*TEMPLATES, *SOURCES) for text in extracted(path)}
    assert {forms(message.id)[0] for message in catalogue if message.id} == marked
    assert not catalogue.obsolete


def test_placeholders_are_the_same_in_both_languages(catalogue):
    for message in catalogue:
        if message.id:
            wanted = sorted(filter(None, sum(PLACE.findall(forms(message.id)[-1]), ())))
            for form in forms(message.string):
                assert sorted(filter(None, sum(PLACE.findall(form), ()))) == wanted, message.id
                assert re.findall("<[^>]+>", form) == re.findall("<[^>]+>", forms(message.id)[-1])


def test_the_compiled_catalogue_is_that_of_the_text(catalogue):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    with (HERE / "django.mo").open("rb") as stored:
        assert (
            gettext.GNUTranslations(stored)._catalog == gettext.GNUTranslations(compiled)._catalog
        )


# What readers see


class ReaderTexts(HTMLParser):
    """The texts of a page and its spoken or shown attributes, without GES's `code` and `pre`."""

    SILENT = ("script", "style", "code", "pre", "datalist", "del", "ins")
    SHOWN = ("title", "aria-label", "placeholder", "alt", "data-label", "data-text", "data-done")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts, self._silent = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag in self.SILENT:
            self._silent.append(tag)
        values = dict(attributes)
        if "admin/img/" in (values.get("src") or ""):
            return  # of Django, which has its name in English alone
        self.texts += [
            values[name] for name in self.SHOWN if values.get(name) and tag not in ("code", "time")
        ]
        if tag == "input" and values.get("type") == "submit":
            self.texts.append(values.get("value", ""))

    def handle_endtag(self, tag):
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()

    def handle_data(self, data):
        if not self._silent and data.strip():
            self.texts.append(data.strip())


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR))
)
def test_no_template_has_unmarked_text(path):
    plain, inside = [], False
    for token in Lexer(path.read_text(encoding="utf-8")).tokenize():
        if token.token_type is TokenType.BLOCK:
            name = token.contents.split()[0]
            inside = name == "blocktranslate" or (inside and name != "endblocktranslate")
            # The attributes of a table's row are written without their tag.
            plain.append({"row": "<tr ", "endrow": ">"}.get(name, ""))
        elif token.token_type is TokenType.TEXT and not inside:
            plain.append(token.contents)
    for text in ReaderTexts("".join(plain)).texts:
        assert not set(WORD.findall(text)) - ALIKE, text


@pytest.fixture
def stored(imported, admin, client):
    """An import with failures, reviewed, corrected and explained; others before and after it."""
    from jobs import record
    from jobs.decisions import corrections, review
    from jobs.ges.errors import TimedOut
    from jobs.proof.seal import seal
    from jobs.record import Observation, find_graph, find_jobs, observe

    graph = find_graph(imported.project, "g1", "payments")
    later = NOW + timedelta(minutes=1)
    jobs = find_jobs(imported.project, [(graph, name, NOW) for name in ("j1", "j0", "j2", "j3")])
    lossy = {
        "vertexsetPath": [
            {
                "path": "b/v.csv",
                "status": "FAILED",
                "totalLines": 9,
                "failedLines": 9,
                "successfulLines": 3,
                "cause": "第 7 行：数据列数不符",
            },
            {"path": "b/w.csv", "status": "FAILED", "cause": "GES.8301"},
        ]
    }
    whole = {
        "path": "b/v.csv",
        "status": "SUCCESS",
        "totalLines": 9,
        "failedLines": 0,
        "successfulLines": 9,
    }
    times = {"beginTime": "2026-03-03T11:00:00", "endTime": "2026-03-03T11:05:00"}
    again = {"beginTime": "2026-03-05T11:00:00", "endTime": "2026-03-05T11:05:00"}
    record.record(
        [
            observe(
                jobs["j0"], "poll", NOW, 200, body("j0", "partFailed", jobDetail=lossy, **times)
            ),
            observe(
                jobs["j1"],
                "proxy",
                later,
                200,
                body("j1", "FAILED", jobDetail=lossy, failReason="GES.8301", what=1),
            ),
            observe(
                jobs["j2"],
                "list",
                later,
                200,
                body("j2", "galloping", beginTime="2026-03-04T11:00:00"),
            ),
            observe(
                jobs["j3"],
                "poll",
                later,
                200,
                body("j3", "SUCCESS", jobDetail={"vertexsetPath": [whole]}, **again),
            ),
            Observation(jobs["j2"], "poll", later, None, None, error=TimedOut()),
        ]
    )
    job = Job.objects.get(job_id="j1")
    review.decide(
        job,
        state="to_fix",
        actor=admin,
        now=later,
        note="再导入",
        assignee=admin,
        due_on=later.date(),
    )
    review.decide(
        job,
        state="fixed",
        actor=admin,
        now=later,
        note="其余不要",
        fixed_by=Job.objects.get(job_id="j3"),
    )
    review.save_note(Cause.objects.first(), "补一列", actor=admin, now=later)
    for count in ("4", "5"):
        corrections.correct(
            job,
            kind="vertex",
            position=0,
            field="failed_lines",
            corrected=count,
            reason="核对",
            actor=admin,
            now=later,
        )
    AccessKey.issue(admin, name="报表", projects=[imported.project], now=NOW)
    seal(imported.project, now=later)
    client.force_login(admin)
    return Job.objects.get(job_id="j1")


def addresses(job: Job):
    """All pages and those of the admin, with data; and lists with invalid filters."""
    keys = {
        "graphs": job.graph_id,
        "jobs": job.pk,
        "causes": Cause.objects.get(note="补一列").pk,
        "me": 1,
        "proof": job.project_id,
    }
    keys["projects"] = job.project_id
    others = {"snapshot_pk": job.snapshots.first().pk, "correction_pk": 1, "number": 1, "key_pk": 1}
    for pattern in [*urlpatterns, *auth_urlpatterns]:
        route = str(pattern.pattern)
        if not route.startswith("jobs/views/") and "z" not in (pattern.name or ""):
            arguments = {"pk": keys.get(route.split("/")[0]), **others}
            namespace = "pages:" if pattern in urlpatterns else ""
            yield reverse(
                namespace + pattern.name,
                kwargs={name: arguments[name] for name in pattern.pattern.converters},
            )
    yield from (
        "/jobs/?verdict=x&cause=x&nonsense=1&loss_over=x&cursor=x&sort=x&page_size=x&zone=x"
        "&began_after=x",
        "/graphs/?name=x",
    )
    yield from (f"/jobs/{job.pk}/?group={by}" for by in ("kind", "verdict", "folder", "cause", "x"))
    yield from (
        f"/jobs/{other.pk}/{part}"
        for other in Job.objects.all()
        for part in ("", "history/", "repair/?api=v2")
    )
    yield from (
        f"/jobs/{job.pk}/compare/?with=x",
        f"/jobs/{job.pk}/?kind=x&verdict=x&cause_group=x&file=x",
        "/files/?path=b/v.csv",
        "/files/?path=v",
    )
    yield from ("/causes/?has=x", "/causes/?days=7", "/nowhere/", "/jobs/999999/")
    for model in django_admin.site._registry:
        if model._meta.app_label == "jobs":
            yield reverse(f"admin:jobs_{model._meta.model_name}_changelist")
            if (row := model._default_manager.first()) is not None:
                yield reverse(f"admin:jobs_{model._meta.model_name}_change", args=[row.pk])
    yield from ("/admin/", reverse("admin:jobs_job_correct", args=[job.pk]) + "?where=vertex:0")


def english_texts(page: str, catalogue: Catalog) -> list[str]:
    """The English of a page: texts of the catalogue, or several words; no JSON values."""
    marked = {
        form
        for message in catalogue
        if message.id and message.id != message.string
        for form in forms(message.id)
    }
    run = re.compile(r"[A-Za-z]{2,}(?:[ ’'][A-Za-z]{2,})+")
    return [
        text
        for text in ReaderTexts(page).texts
        if text not in THEIRS
        and text[0] not in "[{"
        and (
            text in marked - ALIKE or any(set(words.split()) - ALIKE for words in run.findall(text))
        )
    ]


def pages_of(answer):
    """A page, or the pages in a bundle of evidence; its other files are for programs."""
    if answer.headers.get("Content-Type", "").startswith("text/csv"):
        answer.getvalue()  # which closes it
        return []
    if answer.headers.get("Content-Type") != "application/zip":
        return [("", answer.content.decode())]
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as bundle:
        return [
            (name, bundle.read(name).decode())
            for name in bundle.namelist()
            if name.endswith(".html")
        ]


def test_no_page_shows_english_to_a_chinese_reader(client, stored, catalogue):
    english = {}
    for address in addresses(stored):
        answer = client.get(address, headers=ZH)
        if answer.status_code == 405:  # takes POST only
            continue
        assert answer.status_code in {200, 204, 302, 404}, address
        for name, page in pages_of(answer):
            english[address, name] = english_texts(page, catalogue)
    assert any(name.endswith(".html") for _address, name in english)
    assert {address: texts for address, texts in english.items() if texts} == {}


def test_no_refusal_shows_english_to_a_chinese_reader(client, stored, catalogue):
    graph, job = f"/graphs/{stored.graph_id}", f"/jobs/{stored.pk}"
    decision = {"state": "fixed", "note": "", "known": ""}
    refused = [
        (f"{graph}/watch/", {"job_id": ""}),
        (f"{graph}/watch/", {"job_id": "a/b"}),
        (f"{graph}/watch/", {"job_id": "j0"}),
        (f"{graph}/tolerance/", {"share": "2"}),
        (f"{graph}/tolerance/", {"share": "0.5"}),
        (f"{job}/poll/", {}),
        (f"{job}/review/", {"state": "x"}),
        (f"{job}/review/", {"state": "accepted"}),
        (f"{job}/review/", decision),
        *[(f"{job}/review/", decision | {"fixed_by": other}) for other in ("j1", "j2", "j9")],
        (f"{job}/review/", decision | {"assignee": "nobody"}),
        (f"{job}/review/", decision | {"due_on": "soon"}),
        (f"{job}/review/", decision | {"known": "0"}),
        ("/jobs/views/", {"name": ""}),
        ("/jobs/views/", {"name": "夜间", "query": "verdict=failed"}),
        ("/me/", {"zone": "Mars"}),
        ("/me/", {"zone": ""}),
        (
            reverse("admin:jobs_job_correct", args=[stored.pk]),
            {"where": "job", "field": "begin_time", "corrected": "x", "reason": "y"},
        ),
    ]
    english = {}
    for address, form in refused:
        answer = client.post(address, form, headers=ZH, follow=True)
        assert answer.status_code == 200, address
        english[address, *form.values()] = english_texts(answer.content.decode(), catalogue)
    assert {address: texts for address, texts in english.items() if texts} == {}


def test_a_failed_sign_in_is_explained_in_chinese(client, db, catalogue):
    answer = client.post("/login/", {"username": "ada", "password": "x"}, headers=ZH)
    assert "用户名或密码错误" in answer.content.decode()
    assert english_texts(answer.content.decode(), catalogue) == []


def test_every_kind_of_failed_poll_has_a_text():
    from jobs.ges.errors import GesError
    from jobs.pages.job.misses import TEXTS
    from jobs.polling import call_budget, single_flight  # noqa: F401  each has its own errors

    def below(error):
        return {error.kind}.union(*(below(one) for one in error.__subclasses__()))

    assert below(GesError) - {GesError.kind} <= set(TEXTS)


def test_an_error_page_is_in_the_readers_language():
    from django.template import loader
    from django.utils.translation import override

    with override("zh-hans"):
        assert "出错了" in loader.render_to_string("500.html")


def test_the_chosen_language_is_kept(client, admin):
    client.force_login(admin)
    assert 'lang="en"' in client.get("/").content.decode()
    assert 'lang="zh-hans"' in client.get("/", headers=ZH).content.decode()
    chosen = client.post("/language/", {"language": "zh-hans", "next": "/jobs/"})
    assert chosen.headers["Location"] == "/jobs/"
    assert chosen.cookies["django_language"]["max-age"] > 0
    assert 'lang="zh-hans"' in client.get("/", headers={"Accept-Language": "en"}).content.decode()
    client.post("/language/", {"language": "en"})
    assert 'lang="en"' in client.get("/", headers=ZH).content.decode()


def test_programs_get_english(client, admin):
    client.force_login(admin)
    answer = client.get("/api/jobs/?nonsense=1", headers=ZH)
    assert answer.status_code == 400
    assert "unknown filter" in answer.content.decode()
    assert answer.headers["Content-Language"] == "en"
