"""The address of a job's status at GES, as the proxy serves it."""

import re
from dataclasses import dataclass
from typing import Self

from jobs.api.errors import BadRequest, NotFound
from jobs.polling import watches

_STATUS_PATH = re.compile(r"/(v1\.0|v2)/(.*?)/graphs/(.*?)/jobs/(.*)/status", re.DOTALL)
# Django leaves bytes that are no UTF-8 percent-encoded, as if the caller had meant a percent sign.
_NOT_UTF8 = re.compile("%[89A-F][0-9A-F]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StatusPath:
    """The ids in a path, percent-decoded once, and the API version (1 or 2)."""

    project_id: str
    graph_id: str
    job_id: str
    version: int

    @classmethod
    def read(cls, path: str) -> Self:
        """Read a decoded path.

        Raises: BadRequest for ids that GES cannot have given, NotFound for any other address.
        """
        match = _STATUS_PATH.fullmatch(path)
        if match is None:
            raise NotFound(
                "gesdash answers GES's job status only: "
                "/v1.0/{project_id}/graphs/{graph_id}/jobs/{job_id}/status"
            )
        version, project_id, graph_id, job_id = match.groups()
        _check(project_id, "project id")
        _check(graph_id, "graph id")
        _check(job_id, "job id")
        return cls(project_id, graph_id, job_id, 2 if version == "v2" else 1)


def _check(value: str, label: str) -> None:
    if _NOT_UTF8.search(value):
        raise BadRequest(
            f"The {label} holds percent-encoded bytes that are not UTF-8; no id of GES does."
        )
    try:
        watches.check_id(value, label)
    except ValueError as error:
        raise BadRequest(str(error)) from error
