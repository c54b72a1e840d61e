"""The caller of the API: an access key in a signature, in X-Auth-Token or as a bearer token."""

from typing import override
from urllib.parse import quote

from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from jobs.api.errors import BadRequest
from jobs.audit import entries
from jobs.ges import signing
from jobs.models import AccessKey


class KeyAuthentication(BaseAuthentication):
    """The user of a valid key; what they see is limited to the key's projects."""

    @override
    def authenticate(self, request: Request) -> tuple[User, AccessKey] | None:
        key = _key_of(request)
        if key is None:
            return None
        entries.note_key_use(key, request._request, timezone.now())
        return limited_to(key, key.user), key

    @override
    def authenticate_header(self, request: Request) -> str:
        return signing.ALGORITHM


def limited_to(key: AccessKey, user: User) -> User:
    """The user as this key's: `Project.objects.visible_to` reads the key from them."""
    user.access_key = key  # type: ignore[attr-defined]
    return user


def key_for_token(token: str) -> AccessKey:
    """The key with this token. Raises: AuthenticationFailed where none is valid."""
    key = AccessKey.objects.for_token(token, timezone.now())
    if key is None:
        raise AuthenticationFailed("This token is not valid, or no longer.")
    return key


def _key_of(request: Request) -> AccessKey | None:
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith(signing.ALGORITHM):
        return _key_for_signature(request, authorization)
    token = request.headers.get("X-Auth-Token", "")
    if not token and authorization.lower().startswith("bearer "):
        token = authorization[7:].strip()
    return key_for_token(token) if token else None


def _key_for_signature(request: Request, authorization: str) -> AccessKey:
    now = timezone.now()
    try:
        claim = signing.read_authorization(authorization)
        key = AccessKey.objects.for_access_key(claim.access_key, now)
        if key is None:
            raise signing.BadSignature("there is no such access key, or it is no longer valid")
        signing.verify(
            claim,
            method=request.method or "",
            # The server hands the path on decoded. The canonical request is made from the decoded
            # path too (the official signer decodes all of it before it splits it), so nothing that
            # was signed is lost.
            path=quote(request.path_info, safe="/"),
            query=request.META.get("QUERY_STRING", ""),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=_body_of(request),
            sk=key.secret,
            now=now,
        )
    except signing.BadSignature as error:
        raise AuthenticationFailed(f"The signature is not valid: {error}.") from error
    return key


def _body_of(request: Request) -> bytes:
    try:
        return bytes(request.body)
    except (RequestDataTooBig, UnreadablePostError) as error:
        raise BadRequest("The body is too large or broken off; a GET needs none.") from error


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The description of the API names the simplest of the three ways."""

    target_class = KeyAuthentication
    name = "AccessKey"

    @override
    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
