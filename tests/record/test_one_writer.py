"""Each model that names its writers is written by them alone: read from the source, not from a run."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parents[2] / "jobs"
MODELS = {model.__name__: model for model in apps.get_app_config("jobs").get_models()}
TABLES = {model._meta.db_table: name for name, model in MODELS.items()}
QUERYSETS = {f"{name}QuerySet": name for name in MODELS}

# Of a queryset, a manager, a related manager or an instance.
WRITES = {
    "bulk_create", "bulk_update", "create", "delete", "get_or_create", "save", "update", "update_or_create",
}  # fmt: skip
# Functions and methods that take the model first: `copy_rows(Job, …)`, `writes.update(Job, …)`.
BULK = {"copy_rows", "insert_rows", "insert", "update", "delete"}
STATEMENT = re.compile(
    r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY)\s+"?(jobs_\w+)', re.IGNORECASE
)


class Writes(ast.NodeVisitor):
    """The models that a module writes."""

    def __init__(self, tree):
        self.models, self.scopes, self.model = set(), [], None
        self.visit(tree)

    def visit_ClassDef(self, node):
        outer = self.model
        self.model = QUERYSETS.get(node.name, node.name if node.name in MODELS else None)
        self.generic_visit(node)
        self.model = outer

    def visit_FunctionDef(self, node):
        self.scopes.append(bindings(node))
        self.generic_visit(node)
        self.scopes.pop()

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.models |= {
                TABLES[table] for table in STATEMENT.findall(node.value) if table in TABLES
            }

    def visit_Call(self, node):
        self.generic_visit(node)
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if name in BULK and node.args and getattr(node.args[0], "id", "") in MODELS:
            self.models.add(node.args[0].id)
        elif name in WRITES and isinstance(node.func, ast.Attribute):
            self.models |= self.models_of(node.func.value)

    def models_of(self, node, seen=frozenset()):
        """The models whose rows an expression stands for, through the names that it begins with."""
        match node:
            case (
                ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.NamedExpr(value=inner)
            ):
                return self.models_of(inner, seen)
            case ast.Call(
                func=ast.Name() as name, args=args
            ):  # as list(rows), or a function of ours
                return set().union(*(self.models_of(part, seen) for part in (name, *args)))
            case ast.Call(func=inner):
                return self.models_of(inner, seen)
            case ast.Name(id="self"):
                return {self.model} - {None}
            case ast.Name(id=name) if name not in seen:
                values = [value for scope in self.scopes for value in scope[name]]
                found = [self.models_of(value, seen | {name}) for value in values]
                return named_models(node).union(*found)
            case ast.Constant() | ast.Name():
                return set()
        return set().union(*(self.models_of(part, seen) for part in ast.iter_child_nodes(node)))


def named_models(node):
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names & MODELS.keys() | {QUERYSETS[name] for name in names & QUERYSETS.keys()}


def bindings(function):
    """By name, the expressions and annotations of a function's parameters and variables."""
    found = defaultdict(list)
    for node in ast.walk(function):
        if isinstance(node, ast.arg) and node.annotation is not None:
            annotation = ast.walk(unquoted(node.annotation))
            found[node.arg] += [part for part in annotation if isinstance(part, ast.Name)]
        targets, value = (
            (node.targets, node.value) if isinstance(node, ast.Assign)
            else ([node.target], node.value) if isinstance(node, ast.AnnAssign | ast.NamedExpr)
            else ([node.target], node.iter) if isinstance(node, ast.For | ast.comprehension)
            else ((), None)
        )  # fmt: skip
        for name in (part for target in targets for part in ast.walk(target)):
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and value is not None:
                found[name.id].append(value)
    return found


def unquoted(annotation):
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def writers():
    found = defaultdict(set)
    for path in sorted(ROOT.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for model in Writes(ast.parse(path.read_text())).models:
            found[model].add(module)
    return found


def named_writers(model):
    """The modules that the docstring's paragraph "Written by" names."""
    paragraph = re.search(r"Written by(.*?)(?:\n\s*\n|\Z)", model.__doc__ or "", re.DOTALL)
    return set(re.findall(r"`(\w+\.[\w.]+)`", paragraph[1])) if paragraph else set()


NAMED = {name: named for name, model in MODELS.items() if (named := named_writers(model))}


def test_the_models_of_the_record_name_their_writers():
    assert {
        "Job",
        "ImportFile",
        "Snapshot",
        "Miss",
        "Contradiction",
        "Tombstone",
        "Watch",
    } <= NAMED.keys()


@pytest.mark.parametrize("model", sorted(NAMED))
def test_a_model_is_written_by_the_modules_that_it_names(model):
    assert writers()[model] == NAMED[model]


@pytest.mark.parametrize(
    ("source", "model"),
    [
        ("def f():\n    Job.objects.filter(pk=1).update(review='')", "Job"),
        ("def f():\n    rows = Miss.objects.all()\n    old = rows.filter(seen=1)\n    old.delete()", "Miss"),
        ("def f(watches: 'QuerySet[Watch]'):\n    watches.update(problem='')", "Watch"),
        ("def f(chosen: JobQuerySet):\n    for job in chosen:\n        job.save()", "Job"),
        ("class WatchQuerySet:\n    def f(self):\n        self.filter(pk=1).update(problem='')", "Watch"),
        ("class Watch:\n    def f(self):\n        self.save()", "Watch"),
        ("SQL = f'WITH x AS (UPDATE jobs_snapshot SET seen = 2) {MORE}'", "Snapshot"),
        ("def f(writes):\n    writes.insert(Miss, [], [])", "Miss"),
        ("copy_rows(Snapshot, [], [])", "Snapshot"),
    ],
)  # fmt: skip
def test_a_write_is_seen_however_it_is_made(source, model):
    assert Writes(ast.parse(source)).models == {model}
