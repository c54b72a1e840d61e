"""The filters of a list as options of a command."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.http import QueryDict

from jobs.lists.filters import Filter


def add_filter_options(parser: CommandParser, filters: Mapping[str, Filter]) -> None:
    """Each filter as `--its-name`, also spelt with its underscores; repeated values mean or."""
    group = parser.add_argument_group("filters", "Repeat a filter for any of several values.")
    for name, filter_ in filters.items():
        group.add_argument(
            *dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}")),
            dest=name,
            action="append",
            default=[],
            metavar="VALUE",
            help=filter_help(filter_),
        )


def filter_help(filter_: Filter) -> str:
    """The help text of a filter's option, with percent signs doubled for argparse."""
    return f"{filter_.description} Value: {filter_.kind.expected}.".replace("%", "%%")


def query_of(options: Mapping[str, Any], names: Iterable[str]) -> QueryDict:
    """The options as the query string that a page would have."""
    params = QueryDict(mutable=True)
    for name in names:
        params.setlist(name, options[name])
    return params
