"""Errors in the description of the API: every operation has them, as problem details."""

from typing import Any

_ERRORS = {
    "400": "An invalid name or value, named.",
    "401": "No valid key.",
    "404": "Not there, or not visible to you.",
    "405": "Another method.",
    "406": "JSON only.",
    "429": "Over the key's requests a minute.",
}
_ERRORS_OF_POST = {
    "403": "Your role does not allow it.",
    "415": "The body must be JSON.",
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "status": {"type": "integer"},
    },
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook after generation."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for method, operation in path.items():
            errors = _ERRORS | _ERRORS_OF_POST if method == "post" else _ERRORS
            for status, description in errors.items():
                response = {"description": description, "content": content}
                operation["responses"].setdefault(status, response)
    return result
