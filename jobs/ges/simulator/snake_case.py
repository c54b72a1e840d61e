"""From v1's camelCase keys to those of v2."""

import re
from typing import Any

_V2_NAMES = {
    "errorMessage": "error_msg",
    "enableRBAC": "enable_rbac",
    "enableFulltextIndex": "enable_full_text_index",
}


def to_v2(value: Any) -> Any:
    """The same with v2's snake_case keys."""
    if isinstance(value, list):
        return [to_v2(item) for item in value]
    if isinstance(value, dict):
        return {
            _V2_NAMES.get(key) or _to_snake_case(key): to_v2(item) for key, item in value.items()
        }
    return value


def _to_snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]", lambda match: "_" + match[0].lower(), key)
