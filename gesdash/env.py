"""Settings from the environment: read, checked, and refused with a sentence that names them."""

import os
import secrets
import tomllib
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit


class BadSetting(Exception):
    """A setting has a value gesdash can't use; the message names it and what was expected."""


def text(name: str, default: str = "") -> str:
    """The setting as text, surrounding blanks removed."""
    return os.environ.get(name, default).strip()


def secret(name: str, default: str = "") -> str:
    """The setting, or the content of the file that `NAME_FILE` names.

    Raises: BadSetting when both are given or the file can't be read.
    """
    path = text(f"{name}_FILE")
    if not path:
        return text(name, default)
    if text(name):
        raise BadSetting(f"{name} and {name}_FILE are both set; set one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{name}_FILE names a file that can't be read: {error}.") from error


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def one_of(name: str, default: str, choices: Collection[str]) -> str:
    """One of a few words, in any case.

    Raises: BadSetting when it is something else.
    """
    value = text(name) or default
    choice = next((word for word in choices if word.lower() == value.lower()), None)
    if choice is None:
        raise BadSetting(f"{name} is {value!r}; expected {' or '.join(choices)}.")
    return choice


def switch(name: str) -> bool:
    """Yes or no, in the words people use for them; no when it is not set.

    Raises: BadSetting when it is something else.
    """
    value = text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"", "0", "false", "no", "off"}:
        return False
    raise BadSetting(f"{name} is {text(name)!r}; expected yes or no.")


def number(name: str, default: int, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises: BadSetting when it is something else.
    """
    value = text(name)
    if not value:
        return default
    if not (
        value.isascii() and value.isdigit() and len(value) < 12 and least <= int(value) <= most
    ):
        raise BadSetting(f"{name} is {value!r}; expected a whole number from {least} to {most}.")
    return int(value)


def address(name: str, value: str) -> str:
    """An http(s) address without a path, as GES's endpoints are.

    Raises: BadSetting when it is something else.
    """
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"}
        is_valid = is_valid and not (parts.query or parts.username)
        _ = parts.port
    except ValueError:
        is_valid = False
    if not is_valid:
        raise BadSetting(
            f"{name} is {value!r}; "
            "expected an address such as https://ges.cn-north-4.myhuaweicloud.com."
        )
    return value.rstrip("/")


def home() -> Path:
    """GESDASH_HOME, made on first use; only its owner may look inside."""
    path = Path(text("GESDASH_HOME", ".gesdash")).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(
            f"GESDASH_HOME is {str(path)!r}, which can't be made: {error.strerror}."
        ) from error
    return path


def kept(name: str, make: Callable[[], str]) -> str:
    """A value made on the first use of this GESDASH_HOME and kept there in the file `name`.

    Only its owner may read the file.
    """
    path = home() / name
    if not path.exists():
        # Written aside and linked whole: a process that starts at the same time never reads half
        # of it.
        fresh = path.with_name(f"{name}.{os.getpid()}")
        with open(
            fresh, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)
        ) as file:
            file.write(make())
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text(encoding="utf-8").strip()


def kept_secret(name: str) -> str:
    """A random secret, kept."""
    return kept(name, lambda: secrets.token_urlsafe(48))


@dataclass(frozen=True)
class ConfiguredCredentials:
    """What gesdash shows GES for one project: a key pair, a token, or a user for IAM."""

    ak: str = ""
    sk: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    domain: str = ""
    iam_endpoint: str = ""

    @property
    def secrets(self) -> list[str]:
        """The values that no log may show."""
        return [value for value in (self.sk, self.token, self.password) if value]


@dataclass(frozen=True)
class ConfiguredProject:
    """One GES project from the settings; `name` is what the database keeps of its credentials."""

    name: str
    project_id: str
    endpoint: str
    credentials: ConfiguredCredentials


def configured_projects() -> list[ConfiguredProject]:
    """The project of the GES_* settings, and those of the GESDASH_PROJECTS file.

    Shape of the file: TOML, one table a project, keys `endpoint`, `project_id` and `ak` with `sk`,
    `token`, or `user`, `password`, `domain` and `iam_endpoint`.
    Raises: BadSetting that names the setting or the table's key.
    """
    projects = []
    if text("GES_ENDPOINT") or text("GES_PROJECT_ID"):
        values = {
            "endpoint": text("GES_ENDPOINT"),
            "project_id": text("GES_PROJECT_ID"),
            "ak": secret("GES_AK"),
            "sk": secret("GES_SK"),
            "token": secret("GES_TOKEN"),
            "user": text("GES_USER"),
            "password": secret("GES_PASSWORD"),
            "domain": text("GES_DOMAIN"),
            "iam_endpoint": text("GES_IAM_ENDPOINT"),
        }
        projects.append(_project("env", values, lambda key: f"GES_{key.upper()}"))
    for name, table in _projects_file().items():
        if not isinstance(table, dict) or not all(
            isinstance(value, str) for value in table.values()
        ):
            raise BadSetting(f"GESDASH_PROJECTS: [{name}] must be a table of text values.")
        projects.append(_project(name, table, partial(_label_in_file, name)))
    return projects


def _label_in_file(table: str, key: str) -> str:
    return f"GESDASH_PROJECTS: {key} of [{table}]"


def _projects_file() -> dict[str, object]:
    path = text("GESDASH_PROJECTS")
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"GESDASH_PROJECTS names a file that can't be read as TOML: {error}."
        ) from error


def _project(name: str, values: dict[str, str], label: Callable[[str], str]) -> ConfiguredProject:
    keys = {"endpoint", "project_id", *ConfiguredCredentials.__dataclass_fields__}
    if stray := sorted(set(values) - keys):
        raise BadSetting(
            f"{label(stray[0])} is not a setting; known are {', '.join(sorted(keys))}."
        )
    given = {key: value for key, value in values.items() if value}
    for key in ("endpoint", "project_id"):
        if key not in given:
            raise BadSetting(
                f"{label(key)} is missing; a project needs its endpoint and its project id."
            )
    credentials = ConfiguredCredentials(
        **{k: v for k, v in given.items() if k in ConfiguredCredentials.__dataclass_fields__}
    )
    _check_credentials(credentials, label)
    return ConfiguredProject(
        name, given["project_id"], address(label("endpoint"), given["endpoint"]), credentials
    )


def _check_credentials(credentials: ConfiguredCredentials, label: Callable[[str], str]) -> None:
    if credentials.user or credentials.password:
        for key in ("user", "password", "domain", "iam_endpoint"):
            if not getattr(credentials, key):
                raise BadSetting(
                    f"{label(key)} is missing; signing in as a user needs user, password, "
                    "domain and IAM address."
                )
        address(label("iam_endpoint"), credentials.iam_endpoint)
    elif bool(credentials.ak) != bool(credentials.sk):
        raise BadSetting(
            f"{label('sk' if credentials.ak else 'ak')} is missing; a key pair has both halves."
        )
    elif not (credentials.ak or credentials.token):
        raise BadSetting(
            f"{label('ak')} with {label('sk')}, or {label('token')}, is missing; "
            "GES answers nobody without."
        )
