"""The user of a request, typed."""

from django.contrib.auth.models import User
from django.http import HttpRequest


def signed_in(request: HttpRequest) -> User:
    """The user; for views behind the sign-in, where an anonymous one is a programming error."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError(f"{request.path} is served to a user who is not signed in")
    return user
