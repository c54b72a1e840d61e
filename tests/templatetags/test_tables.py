"""A table from its columns."""

from types import SimpleNamespace

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory


def drawn(source, **context):
    return Template("{% load tables %}" + source).render(Context(context))


def test_each_column_makes_a_head_and_a_labelled_cell_a_row():
    page = drawn(
        "{% table path, lost in files %}"
        "{% column 'Path' %} {{ path }} {% endcolumn %}"
        "{% column 'Lost' css='n' head='Lines lost' %}{{ lost }}{% endcolumn %}"
        "{% endtable %}",
        files=[("a<b", 1), ("c", 0)],
    )
    assert page == (
        '<table class="rows"><thead><tr><th>Path</th><th class="n">Lines lost</th></tr></thead><tbody><tr><td>a&lt;b</td><td class="n" data-label="Lost">1</td></tr><tr><td>c</td><td class="n" data-label="Lost">0</td></tr></tbody></table>'
    )


def test_a_cell_without_what_it_needs_is_marked():
    page = drawn(
        "{% table one in rows rows_only=True %}"
        "{% column 'Id' labelled=True %}{{ one }}{% endcolumn %}"
        "{% column 'Cause' css='wrap' needs=one %}{{ one }}{% endcolumn %}"
        "{% endtable %}",
        rows=["x", ""],
    )
    assert page == (
        '<tr><td data-label="Id">x</td><td class="wrap" data-label="Cause">x</td></tr>'
        '<tr><td data-label="Id"></td><td class="wrap none" data-label="Cause"></td></tr>'
    )


def test_rows_and_the_table_have_what_belongs_to_them():
    page = drawn(
        "{% table one in rows css='' %}"
        "{% caption %}All{% endcaption %}{% row %}{% if one %}id='{{ one }}'{% endif %}{% endrow %}"
        "{% column 'Name' row_head=True %}{{ one }}{% endcolumn %}"
        "{% column 'Undo' hidden=True %}-{% endcolumn %}"
        "{% endtable %}",
        rows=[1, 0],
    )
    assert page == (
        '<table><caption>All</caption><thead><tr><th>Name</th><th><span class="sr">Undo</span></th></tr></thead>'
        "<tbody><tr id='1'><th scope=\"row\">1</th><td>-</td></tr>"
        '<tr><th scope="row">0</th><td>-</td></tr></tbody></table>'
    )


@pytest.mark.parametrize(
    ("sort", "head"),
    [
        ("name", '<th aria-sort="ascending"><a href="?sort=-name">Name ↑</a></th>'),
        ("-name", '<th aria-sort="descending"><a href="?sort=name">Name ↓</a></th>'),
        ("other", '<th><a href="?sort=-name">Name</a></th>'),
    ],
)
def test_a_click_on_a_head_sorts(sort, head):
    source = "{% table one in rows %}{% column 'Name' sort='name' %}{% endcolumn %}{% endtable %}"
    request = RequestFactory().get("/", {"cursor": "3"})
    assert head in drawn(source, rows=[], page=SimpleNamespace(sort=sort), request=request)
    assert "<th>Name</th>" in drawn(source, rows=[])


@pytest.mark.parametrize(
    "source",
    ["{% table one of rows %}", "{% table one in rows x=1 %}", "{% table one in rows x %}"],
)
def test_a_table_refuses_what_it_does_not_know(source):
    with pytest.raises(TemplateSyntaxError, match="table: "):
        drawn(source + "{% endtable %}")
