"""A person's saved filters and order of the job list."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.audit_triggers import Audited, plain, username
from jobs.models.roles import Viewer


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Saved views by who may see them."""

    def visible_to(self, user: Viewer) -> "SavedViewQuerySet":
        """This user's own and those that others share.

        What a view lists is limited by who looks, not by who saved it.
        """
        return self.filter(Q(owner_id=user.pk) | Q(is_shared=True))


class SavedView(models.Model):
    """Named filters and order of the job list; `query` is a query string without a cursor."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="saved_views",
    )
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(_("filters"), blank=True)
    is_shared = models.BooleanField(_("shared with everyone"), default=False)
    created_at = models.DateTimeField(_("created at"))

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("saved view"), _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_view_a_name"),
            models.CheckConstraint(condition=~Q(name=""), name="view_has_a_name"),
        ]
        triggers = Audited(
            what="view",
            values={**plain("name", "query", "is_shared"), "owner": username("owner_id")},
            name="{row}.name",
            actor="{row}.owner_id",
        ).triggers()

    def __str__(self) -> str:
        return self.name
