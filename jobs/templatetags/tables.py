"""Tables whose columns are each written once: the head, the label on a phone, and the cell.

{% table file in files css="rows files" %}
  {% column _("Path") css="path" sort="path" %}{{ file.path }}{% endcolumn %}
  {% column _("Cause") needs=file.cause %}{{ file.cause }}{% endcolumn %}
{% endtable %}
"""

from typing import Any, NamedTuple

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.templatetags.links import url_with

register = template.Library()

Options = dict[str, FilterExpression]

TABLE_OPTIONS = {"css", "rows_only"}
COLUMN_OPTIONS = {"css", "sort", "head", "row_head", "hidden", "labelled", "needs"}
DRAWING_KEY = "_table"  # of the context; by it a column finds the table around it
EMPTY = SafeString()


class _Cell(NamedTuple):
    """What every cell of a column begins with."""

    tag: str
    css: str
    attributes: SafeString


class _Drawing:
    """A table while it is drawn: first its heads, then row after row."""

    def __init__(self, css: str) -> None:
        self.css = css
        self.is_head = True
        self.caption = EMPTY
        self.cells: dict[Node, _Cell] = {}
        self.row_attributes = EMPTY


class TableNode(Node):
    """Its body is rendered once for the heads and once for each row."""

    child_nodelists = ("body",)

    def __init__(
        self, names: list[str], rows: FilterExpression, options: Options, body: NodeList
    ) -> None:
        self.names, self.rows, self.options, self.body = names, rows, options, body

    def render(self, context: Context) -> SafeString:
        """The `<table>`; the box around it is the page's."""
        options = _resolved(self.options, context)
        drawing = _Drawing(options.get("css", "rows"))

        with context.push(**{DRAWING_KEY: drawing}):
            heads = self.body.render(context)
            drawing.is_head = False
            rows = [self._row(context, drawing, row) for row in self.rows.resolve(context)]

        if options.get("rows_only"):
            return SafeString("".join(rows))
        return format_html(
            "<table{}>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
            _class(drawing.css),
            drawing.caption,
            heads,
            SafeString("".join(rows)),
        )

    def _row(self, context: Context, drawing: _Drawing, row: Any) -> str:
        drawing.row_attributes = EMPTY
        values = (row,) if len(self.names) == 1 else row
        with context.push(**dict(zip(self.names, values, strict=True))):
            cells = self.body.render(context)
        return f"<tr{drawing.row_attributes}>{cells}</tr>"


class ColumnNode(Node):
    """A head, or a cell of one row."""

    child_nodelists = ("content",)

    def __init__(self, label: FilterExpression, options: Options, content: NodeList) -> None:
        self.label, self.content = label, content
        self.needs = options.pop("needs", None)
        self.options = options

    def render(self, context: Context) -> SafeString:
        """What the table around it draws now."""
        drawing: _Drawing = context[DRAWING_KEY]
        if drawing.is_head:
            return self._head(context, drawing)
        return self._cell(context, drawing.cells[self])

    def _head(self, context: Context, drawing: _Drawing) -> SafeString:
        label, options = self.label.resolve(context), _resolved(self.options, context)
        css, is_hidden = options.get("css", ""), options.get("hidden")

        # Rows of the class `rows` are cards on a phone: the first cell is their title, and the
        # button or form in a column without a visible head says itself what it does.
        is_first = not drawing.cells
        labelled = options.get("labelled", not is_first and not is_hidden)
        attributes = SafeString(' scope="row"') if options.get("row_head") else EMPTY
        if labelled and "rows" in drawing.css.split():
            attributes += format_html(' data-label="{}"', label)
        drawing.cells[self] = _Cell("th" if options.get("row_head") else "td", css, attributes)

        head, attributes = options.get("head", label), _class(css)
        if is_hidden:
            head = format_html('<span class="sr">{}</span>', head)
        elif "sort" in options and "page" in context:
            head, direction = _sorting(context, options["sort"], head)
            if direction:
                attributes += format_html(' aria-sort="{}"', direction)
        return format_html("<th{}>{}</th>", attributes, head)

    def _cell(self, context: Context, cell: _Cell) -> SafeString:
        css = cell.css
        if self.needs is not None and not self.needs.resolve(context):
            css = f"{css} none".lstrip()
        content = self.content.render(context).strip()
        return SafeString(f"<{cell.tag}{_class(css)}{cell.attributes}>{content}</{cell.tag}>")


class CaptionNode(Node):
    """The caption; nothing is shown where it stands."""

    child_nodelists = ("content",)

    def __init__(self, content: NodeList) -> None:
        self.content = content

    def render(self, context: Context) -> SafeString:
        """Hands it to the table."""
        drawing: _Drawing = context[DRAWING_KEY]
        if drawing.is_head:
            drawing.caption = format_html("<caption>{}</caption>", self.content.render(context))
        return EMPTY


class RowNode(Node):
    """Attributes of each `<tr>`; nothing is shown where it stands."""

    child_nodelists = ("attributes",)

    def __init__(self, attributes: NodeList) -> None:
        self.attributes = attributes

    def render(self, context: Context) -> SafeString:
        """Hands them to the table."""
        drawing: _Drawing = context[DRAWING_KEY]
        if not drawing.is_head and (attributes := self.attributes.render(context).strip()):
            drawing.row_attributes = SafeString(f" {attributes}")
        return EMPTY


def _class(css: str) -> SafeString:
    return format_html(' class="{}"', css) if css else EMPTY


def _sorting(context: Context, name: str, label: str) -> tuple[SafeString, str | None]:
    """The link that sorts by a column, the largest first and at the second click the smallest;
    and how the list is sorted by it now.
    """
    sort = context["page"].sort
    directions = {name: ("ascending", " ↑"), f"-{name}": ("descending", " ↓")}
    direction, arrow = directions.get(sort, (None, ""))
    href = url_with(context, sort=name if sort == f"-{name}" else f"-{name}")
    return format_html('<a href="{}">{}{}</a>', href, label, arrow), direction


@register.tag
def table(parser: Parser, token: Token) -> TableNode:
    """`table NAMES in ROWS`: a table with a row for each of them.

    `css`: its classes instead of "rows". `rows_only`: leaves out all else, where they are to
    replace rows of a page.
    """
    _tag, *bits = token.split_contents()
    if "in" not in bits[:-1]:
        raise template.TemplateSyntaxError("table: expected {% table NAMES in ROWS %}")
    in_index = bits.index("in")
    names = [name.strip() for name in " ".join(bits[:in_index]).split(",")]
    rows = parser.compile_filter(bits[in_index + 1])
    options = _options("table", bits[in_index + 2 :], parser, TABLE_OPTIONS)
    return TableNode(names, rows, options, _until(parser, "endtable"))


@register.tag
def column(parser: Parser, token: Token) -> ColumnNode:
    """`column LABEL`: a column of the table around it.

    `css`: classes of its head and its cells. `sort`: what a click on its head sorts by, where the
    list has pages. `head`: what the head says instead of the label. `row_head`: its cells are heads
    of their rows. `hidden`: only screen readers have the head. `labelled`: the first cell has its
    label on a phone, too. `needs`: a phone leaves the cell out where this is missing.
    """
    _tag, label, *bits = token.split_contents()
    options = _options("column", bits, parser, COLUMN_OPTIONS)
    return ColumnNode(parser.compile_filter(label), options, _until(parser, "endcolumn"))


@register.tag
def caption(parser: Parser, token: Token) -> CaptionNode:
    """What stands above the table."""
    return CaptionNode(_until(parser, "endcaption"))


@register.tag
def row(parser: Parser, token: Token) -> RowNode:
    """The attributes of each `<tr>`."""
    return RowNode(_until(parser, "endrow"))


def _until(parser: Parser, end: str) -> NodeList:
    body = parser.parse((end,))
    parser.delete_first_token()
    return body


def _options(tag: str, bits: list[str], parser: Parser, option_names: set[str]) -> Options:
    options = token_kwargs(bits, parser)
    if unknown := bits or options.keys() - option_names:
        raise template.TemplateSyntaxError(f"{tag}: there is no option {', '.join(unknown)}")
    return options


def _resolved(options: Options, context: Context) -> dict[str, Any]:
    return {name: value.resolve(context) for name, value in options.items()}
