"""What is stored: a module a noun."""

from jobs.models.access import AccessKey
from jobs.models.audit import AuditCoverage, AuditEntry
from jobs.models.budget import CallBudget
from jobs.models.call import Call
from jobs.models.cause import Cause
from jobs.models.contradiction import Contradiction
from jobs.models.correction import Correction
from jobs.models.graph import Graph
from jobs.models.job import ImportFile, Job
from jobs.models.membership import Membership
from jobs.models.people import GroupPermission, TrackedGroup, TrackedUser, UserGroup, UserPermission
from jobs.models.presence import Presence
from jobs.models.project import Project
from jobs.models.proof import Checkpoint, Hold, Pruning, Tombstone, Verification
from jobs.models.reply import Miss, Snapshot
from jobs.models.review import Review
from jobs.models.tally import Tally
from jobs.models.token import IamToken
from jobs.models.view import SavedView
from jobs.models.watch import Watch

__all__ = [
    "AccessKey",
    "AuditCoverage",
    "AuditEntry",
    "Call",
    "CallBudget",
    "Cause",
    "Checkpoint",
    "Contradiction",
    "Correction",
    "Graph",
    "GroupPermission",
    "Hold",
    "IamToken",
    "ImportFile",
    "Job",
    "Membership",
    "Miss",
    "Presence",
    "Project",
    "Pruning",
    "Review",
    "SavedView",
    "Snapshot",
    "Tally",
    "Tombstone",
    "TrackedGroup",
    "TrackedUser",
    "UserGroup",
    "UserPermission",
    "Verification",
    "Watch",
]
