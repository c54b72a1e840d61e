# What a developer runs; `just` alone lists it, and `uv run --dev just` needs no installation.
# Each recipe is plain uv, so everything works without just as well.

set positional-arguments

_list:
    @just --list --unsorted

# start everything with a simulated GES; restart it when code changes
up *options:
    uv run --dev manage.py up --demo --reload "$@"

# run any command of manage.py
manage *command:
    uv run --dev manage.py "$@"

# run the tests; options and paths are those of pytest
test *options:
    uv run --dev pytest "$@"

# check style, spelling and the import contract
lint:
    uv run --dev ruff check .
    uv run --dev ruff format --check .
    uv run --dev djangofmt --check templates
    uv run --dev djangofmt check templates
    uv run --dev codespell
    uv run --dev lint-imports

# repair what the linters can repair
fix:
    uv run --dev ruff check --fix .
    uv run --dev ruff format .
    uv run --dev djangofmt check --fix templates
    uv run --dev djangofmt templates

# check types
types:
    uv run --dev mypy

# check the settings of a deployment, and that no migration is missing
check:
    GESDASH_TLS=yes uv run --dev manage.py check --deploy --fail-level WARNING
    uv run --dev manage.py makemigrations --check --dry-run

# run everything that must pass before a merge
gate:
    .ci/run

# write the migrations of changed models
migrations *options:
    uv run --dev manage.py makemigrations jobs "$@"

# collect marked texts into the catalogue (needs gettext)
messages:
    uv run --dev manage.py makemessages -l zh_Hans --add-location file -i .venv

# compile the catalogue
compile-messages:
    uv run --dev pybabel compile -D django -d locale

# resolve the dependencies again and renew production's list
lock:
    uv lock
    uv export --no-dev --no-emit-project -o requirements.lock
