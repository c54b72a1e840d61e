"""What is stored: a module a noun."""

from jobs.models.access import AccessKey
from jobs.models.cause import Cause
from jobs.models.correction import Correction
from jobs.models.job import ImportFile, Job
from jobs.models.project import Graph, Membership, Project
from jobs.models.reply import Miss, Snapshot
from jobs.models.review import Review
from jobs.models.view import SavedView
from jobs.models.watch import Watch

__all__ = [
    "AccessKey",
    "Cause",
    "Correction",
    "Graph",
    "ImportFile",
    "Job",
    "Membership",
    "Miss",
    "Project",
    "Review",
    "SavedView",
    "Snapshot",
    "Watch",
]
