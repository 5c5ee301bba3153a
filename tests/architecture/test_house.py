"""Rules of the code base that a program can check."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("studysite", "recommender", "survey")
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in (*PACKAGES, "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def names(paths) -> list[str]:
    return [str(path) for path in paths]


def test_there_are_modules_and_templates_to_check():
    assert len(MODULES) > 50
    assert len(TEMPLATES) > 10


def test_no_module_is_longer_than_450_lines():
    assert [path for path in MODULES if len(text(path).splitlines()) > 450] == []


def test_no_view_is_longer_than_25_lines():
    long = [
        f"{path.name}: {node.name}"
        for path in (ROOT / "survey" / "views").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 25
    ]
    assert long == []


#: Packages whose ``__init__.py`` holds code: Django finds models there, the core sets the
#: environment of its libraries.
WITH_CODE = {"survey/models/__init__.py", "recommender/core/__init__.py"}
#: Too small for a test file of their own.
UNTESTED = {"apps.py", "asgi.py", "wsgi.py", "urls.py", "errors.py", "settings.py"}
#: Tested through the modules that use them. A new module gets a test file of its name instead.
TESTED_ELSEWHERE = {
    "recommender/core/algorithms/liked_items.py",
    "recommender/core/readers/licence.py",
    "recommender/lease.py",
    "recommender/management/tables.py",
    "recommender/provenance.py",
    "recommender/tasks.py",
    "studysite/celery.py",
    "survey/forms.py",
    "survey/management/commands/export_design.py",
    "survey/management/commands/launch_study.py",
    "survey/management/site.py",
    "survey/models/people.py",
    "survey/models/studies.py",
    "survey/protocol/builtin.py",
    "survey/selectors/arm_labels.py",
    "survey/selectors/next_step.py",
    "survey/selectors/questionnaires.py",
    "survey/selectors/recruiting.py",
    "survey/services/uploading.py",
    "survey/templatetags/genres.py",
    "survey/templatetags/panel.py",
    "survey/tokens.py",
    "survey/views/leaving.py",
}


def product_modules() -> list[Path]:
    return [
        path for path in MODULES if path.parts[0] in PACKAGES and "migrations" not in path.parts
    ]


def test_a_package_exports_nothing_but_its_modules():
    with_code = {
        str(path)
        for path in product_modules()
        if path.name == "__init__.py"
        and not all(isinstance(node, ast.Expr) for node in ast.parse(text(path)).body)
    }
    assert with_code == WITH_CODE


def test_a_public_name_is_defined_once():
    places: dict[str, list[str]] = {}
    for path in product_modules():
        for node in ast.parse(text(path)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path))
    del places["Command"]  # Django asks every management command for this name
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert shared == {}


def test_a_module_has_a_test_file_of_its_name():
    without = {
        str(path)
        for path in product_modules()
        if path.name not in {"__init__.py", *UNTESTED}
        and "configs" not in path.parts  # declarations, which test_systems.py goes through
        and not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()
    }
    assert without == TESTED_ELSEWHERE


def test_a_file_is_named_after_its_subject():
    nameless = {"utils.py", "helpers.py", "common.py", "misc.py", "util.py"}
    assert [path for path in MODULES if path.name in nameless] == []


def test_every_module_has_a_docstring():
    silent = [
        path
        for path in MODULES
        if path.parts[0] in (*PACKAGES, "benchmarks")
        and "migrations" not in path.parts
        and path.name not in {"__init__.py", "apps.py"}
        and ast.get_docstring(ast.parse(text(path))) is None
    ]
    assert silent == []


def test_only_the_job_runner_catches_everything():
    catching = [
        path
        for path in MODULES
        if path.parts[0] in PACKAGES
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") == "Exception")
    ]
    assert set(names(catching)) <= {"recommender/jobs.py"}


def test_a_migration_imports_no_application_code():
    importing = [
        path
        for path in MODULES
        if "migrations" in path.parts
        and re.search(r"^(from|import) (\.|survey|rec)", text(path), re.M)
    ]
    assert importing == []


@pytest.mark.parametrize("app", ["recommender", "survey"])
def test_an_app_has_migrations_with_a_name_of_their_own(app):
    found = [path.stem for path in (ROOT / app / "migrations").glob("[0-9]*.py")]
    assert found
    assert not [name for name in found if "auto" in name or name.endswith("_initial")]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_no_inline_style_script_or_handler(path):
    page = path.read_text()
    assert not re.search(r"\sstyle\s*=|<style\b", page)
    assert not re.search(r"<script\b(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son[a-z]+\s*=", page)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_loads_nothing_from_another_host(path):
    assert not re.search(r"<(script|img|link|iframe)\b[^>]*(//|https?:)", path.read_text())


def test_the_web_process_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, studysite.wsgi; from django.urls import get_resolver;"
        "get_resolver().url_patterns;"
        "print([name for name in sys.modules if name in ('torch', 'matplotlib') or"
        " name.startswith('recommender.core.algorithms')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_every_direct_dependency_is_pinned_as_the_project_allows():
    pins = dict(line.split("==") for line in text(Path("constraints.txt")).splitlines())
    versions = {name.lower().replace("_", "-"): Version(pin) for name, pin in pins.items()}
    direct = PROJECT["project"]["dependencies"]
    direct = direct + PROJECT["project"]["optional-dependencies"]["dev"]
    for requirement in map(Requirement, direct):
        assert versions[requirement.name.lower()] in requirement.specifier, str(requirement)


def test_the_constraints_hold_names_and_versions_only():
    for line in text(Path("constraints.txt")).splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9A-Za-z.]+", line), line


def test_the_changelog_knows_this_version():
    assert f"## {PROJECT['project']['version']}" in text(Path("CHANGELOG.md"))


def test_every_setting_is_in_the_table_of_the_readme():
    read = re.findall(r'env\.\w+\("([A-Z_]+)"', text(Path("studysite/settings.py")))
    assert len(read) >= 7
    assert [name for name in read if f"| `{name}` |" not in text(Path("README.md"))] == []


def test_make_explains_every_target():
    makefile = text(Path("Makefile"))
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    assert {"setup", "demo", "run", "worker", "test", "check", "bench", "peers"} <= set(targets)
    assert [name for name in targets if not re.search(rf"^{name}:.*## \w", makefile, re.M)] == []


def test_every_document_that_is_named_exists():
    documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    documents += (ROOT / "docs").rglob("*.md")
    broken = [
        f"{page.name}: {link}"
        for page in documents
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_the_readme_leads_to_every_document():
    documents = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert documents - set(re.findall(r"\(docs/([a-z-]+\.md)", text(Path("README.md")))) == set()
