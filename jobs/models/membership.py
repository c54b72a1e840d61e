"""What a user may do in a project."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.models.audit_triggers import Audited, plain, project_name, username
from jobs.models.project import Project
from jobs.models.roles import Role


class Membership(models.Model):
    """What a user may do in a project."""

    project = models.ForeignKey(Project, verbose_name=_("project"), on_delete=models.CASCADE)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        verbose_name, verbose_name_plural = _("membership"), _("memberships")
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership")]
        triggers = Audited(
            what="membership",
            values={"user": username("user_id"), "project": project_name(), **plain("role")},
            name=username("user_id"),
            project="{row}.project_id",
        ).triggers()

    def __str__(self) -> str:
        return _("%(user)s in %(project)s") % {"user": self.user, "project": self.project}
