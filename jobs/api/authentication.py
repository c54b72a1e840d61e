"""Who calls: an AccessKey, shown as a signature, as X-Auth-Token or as a bearer token."""

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

    def authenticate(self, request: Request) -> tuple[User, AccessKey] | None:
        """None when no key is shown."""
        shown = request.headers.get("Authorization", "")
        if shown.startswith(signing.ALGORITHM):
            return self._as(request, self._by_signature(request, shown))
        token = request.headers.get("X-Auth-Token", "")
        if not token and shown.lower().startswith("bearer "):
            token = shown[7:].strip()
        if not token:
            return None
        key = AccessKey.objects.for_token(token, timezone.now())
        if key is None:
            raise AuthenticationFailed("This token is not valid, or no longer.")
        return self._as(request, key)

    def authenticate_header(self, request: Request) -> str:
        """What to show, so that a missing key is a 401."""
        return signing.ALGORITHM

    def _as(self, request: Request, key: AccessKey) -> tuple[User, AccessKey]:
        key.user.access_key = key  # type: ignore[attr-defined]
        entries.note_key_use(key, request._request, timezone.now())
        return key.user, key

    def _by_signature(self, request: Request, shown: str) -> AccessKey:
        now = timezone.now()
        try:
            claim = signing.read_authorization(shown)
            key = AccessKey.objects.for_access_key(claim.access_key, now)
            if key is None:
                raise signing.BadSignature("there is no such access key, or it is no longer valid")
            headers = {name.lower(): value for name, value in request.headers.items()}
            signing.verify(
                claim,
                method=request.method or "",
                # The server hands the path on decoded. The canonical request is made from the decoded path too (the official
                # signer decodes all of it before it splits it), so nothing that was signed is lost.
                path=quote(request.path_info, safe="/"),
                query=request.META.get("QUERY_STRING", ""),
                headers=headers,
                body=_body(request),
                sk=key.secret,
                now=now,
            )
        except signing.BadSignature as wrong:
            raise AuthenticationFailed(f"The signature is not valid: {wrong}.") from wrong
        return key


def _body(request: Request) -> bytes:
    try:
        return bytes(request.body)
    except (RequestDataTooBig, UnreadablePostError) as wrong:
        raise BadRequest("The body is too large or broken off; a GET needs none.") from wrong


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description of the API names it."""

    target_class = KeyAuthentication
    name = "AccessKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """The simplest of the three ways."""
        return {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
