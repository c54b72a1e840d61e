"""Django's users and groups, as proxies that bring triggers: who may sign in, and do what."""

from django.contrib.auth.models import Group, User

from jobs.models.audit_triggers import Audited, plain, username

_PERMISSION = "(SELECT codename FROM auth_permission WHERE id = {row}.permission_id)"
_GROUP = "(SELECT name FROM auth_group WHERE id = {row}.group_id)"
# An entry tells that it was changed, and nothing of what it is or was.
_MARK = (
    "CASE WHEN '{row}' = 'NEW' AND TG_OP = 'UPDATE' AND OLD.password IS DISTINCT FROM NEW.password"
    " THEN 'changed' ELSE 'kept' END"
)


class TrackedUser(User):
    """A user, audited."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = Audited(
            what="user",
            values={
                **plain("username", "email", "is_active", "is_staff", "is_superuser"),
                "password": _MARK,
            },
            name="{row}.username",
        ).triggers()


class UserGroup(User.groups.through):  # type: ignore[name-defined,misc]
    """A user's membership in a group, audited."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = Audited(
            what="user",
            values={"group": _GROUP},
            name=username("user_id"),
            key="{row}.user_id",
            compared=("user", "group"),
        ).triggers()


class UserPermission(User.user_permissions.through):  # type: ignore[name-defined,misc]
    """A permission of a user, audited."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = Audited(
            what="user",
            values={"permission": _PERMISSION},
            name=username("user_id"),
            key="{row}.user_id",
            compared=("user", "permission"),
        ).triggers()


class TrackedGroup(Group):
    """A group of users, audited."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = Audited(what="group", values=plain("name"), name="{row}.name").triggers()


class GroupPermission(Group.permissions.through):  # type: ignore[name-defined,misc]
    """A permission of a group, audited."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = Audited(
            what="group",
            values={"permission": _PERMISSION},
            name=_GROUP,
            key="{row}.group_id",
            compared=("group", "permission"),
        ).triggers()
