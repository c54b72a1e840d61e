"""What the description of the API says of every operation: its errors are problem details."""

from typing import Any

_ERRORS = {"400": "A name or value that won't do, named.", "401": "No valid key.", "404": "Not there, or not for you.",
           "405": "Another method.", "406": "JSON only.", "429": "Over the key's requests a minute."}  # fmt: skip
_OF_DEEDS = {"403": "Your role does not let you.", "415": "The body is to be JSON."}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {name: {"type": "string"} for name in ("type", "title", "detail", "code")}
    | {"status": {"type": "integer"}},
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook after generation."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for method, operation in path.items():
            for status, description in (_ERRORS | (_OF_DEEDS if method == "post" else {})).items():
                operation["responses"].setdefault(
                    status, {"description": description, "content": content}
                )
    return result
