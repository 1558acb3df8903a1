"""Names resolve, nothing is an orphan, and imports go one way: nothing that is deployed knows what builds or runs it here."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import catalogue
from shared.paths import ROOT

SRC = ROOT / "src"
CATALOGUE = catalogue.load()

DOCUMENTED_FUNCTIONS = {
    "controller-fast", "controller-slow", "next", "notify", "site-basic", "site-data", "site-export", "site-initiate",
    "site-mscalar", "site-nem12", "site-prepare", "site-segment",
}  # fmt: skip
DOCUMENTED_MACHINES = [
    "bua", "restore", "scaleup-workflow", "warming", "segments", "microscalar", "reset-basicreads", "basicreads",
    "scaleup-meterdata", "nem12", "invoiceruns", "scaledown", "export", "terminate",
]  # fmt: skip
DOCUMENTED_PROCEDURES = {
    "bua_create_basic_read", "bua_create_invoice_scalar", "bua_create_macro_profile", "bua_dates_to_check",
    "bua_mark_segment_jurisdiction_entries", "bua_fill_marked_segment_jurisdiction_entries",
    "import_gas_volumes_profile_creation", "bua_initiate", "bua_initiate_invoice_runs", "bua_list_profile_registers",
    "bua_list_profile_nmis", "bua_list_unbilled_accounts", "bua_list_all_accounts", "bua_list_missing_periods",
    "bua_prepare_export_data", "core_warm_database_statistics", "core_warm_database_indexes", "core_warm_table",
    "core_warm_partition", "core_warm_index",
}  # fmt: skip


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it goes"
            yield node.module or ""


def module_files(package: str) -> list[Path]:
    return sorted((SRC / package).rglob("*.py"))


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("shared", {"lambdas", "artifacts", "local"}),
        ("lambdas", {"artifacts", "local"}),
        ("artifacts", {"lambdas", "local"}),
        ("local", {"lambdas"}),
    ],
)
def test_nothing_imports_upwards(package, forbidden):
    wrong = {
        f"{path.relative_to(SRC)} imports {name}"
        for path in module_files(package)
        for name in imports(path)
        if name.split(".")[0] in forbidden
    }
    assert wrong == set()


def test_only_one_wing_knows_the_emulator():
    """What patches or stands in for AWS is in local/aws; everything else would run against AWS itself."""
    users = {
        path.relative_to(SRC).parent.as_posix()
        for path in SRC.rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] == "ministack"
    }
    assert users == {"local/aws"}


@pytest.mark.parametrize("package", ["shared", "lambdas"])
def test_nothing_deployed_speaks_of_the_local_stack(package):
    words = re.compile(r"\b(local stack|emulat\w+|ministack|local/|local\.[a-z])", re.IGNORECASE)
    found = {
        f"{path.relative_to(SRC)}: {match[0]}"
        for path in module_files(package)
        for match in words.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize("room", ["aws", "database", "metering"])
def test_the_tools_of_shared_know_no_step(room):
    """shared/aws, database and metering are used by the steps and the fan-out, never the other way round."""
    wrong = {
        f"{path.relative_to(SRC)} imports {name}"
        for path in module_files(f"shared/{room}")
        for name in imports(path)
        if name.startswith(("shared.steps", "shared.work"))
    }
    assert wrong == set()


def test_one_function_never_imports_another():
    for path in module_files("lambdas"):
        assert not [name for name in imports(path) if name.split(".")[0] == "lambdas"], path


def reachable(module: str, seen: set[str]) -> set[str]:
    """The modules of shared that a module needs, all the way down."""
    path = SRC / Path(*module.split(".")).with_suffix(".py")
    if module in seen or not path.is_file():
        return seen
    seen.add(module)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "shared":
            reachable(node.module, seen)
            for alias in node.names:
                reachable(f"{node.module}.{alias.name}", seen)
    return seen


@pytest.mark.parametrize("key", CATALOGUE.functions)
def test_a_function_is_packaged_with_what_it_imports(key):
    module = f"lambdas.{key.replace('-', '_')}.handler"
    outside = {
        name.split(".")[0]
        for used in reachable(module, set())
        for name in imports(SRC / Path(*used.split(".")).with_suffix(".py"))
    }
    groups = CATALOGUE.functions[key].requirements
    assert "psycopg2" not in outside or "database" in groups, f"requirements of {key} in the catalogue lack database"
    assert ("numpy" in outside) == ("numeric" in groups), f"requirements of {key} in the catalogue: numeric or not?"


def test_the_documents_functions_are_there_and_every_folder_is_in_the_catalogue():
    assert CATALOGUE.functions.keys() >= DOCUMENTED_FUNCTIONS
    folders = {path.parent.name.replace("_", "-") for path in (SRC / "lambdas").rglob("handler.py")}
    assert folders == CATALOGUE.functions.keys()


@pytest.mark.parametrize("key", CATALOGUE.functions)
def test_every_function_has_its_handler(key):
    module = importlib.import_module(f"lambdas.{key.replace('-', '_')}.handler")
    assert callable(module.lambda_handler)


def test_the_documents_machines_are_there_in_its_order_and_earls_comes_last():
    steps = [machine.step for machine in CATALOGUE.state_machines]
    assert [step for step in steps if step in DOCUMENTED_MACHINES] == DOCUMENTED_MACHINES
    assert steps[-1] == "snapshot"


def test_every_run_type_has_a_queue_function_and_every_documented_site_function_a_run_type():
    workers = {run_type.function for run_type in CATALOGUE.run_types.values()}
    assert workers <= {key for key, function in CATALOGUE.functions.items() if function.queue}
    assert workers >= {key for key in DOCUMENTED_FUNCTIONS if key.startswith("site-")} - {"site-initiate"}


def test_the_limits_are_the_documents():
    functions = CATALOGUE.functions
    assert functions["controller-fast"].timeout_seconds == 180
    assert functions["controller-slow"].timeout_seconds == 900
    sites = {key: functions[key].queue for key in DOCUMENTED_FUNCTIONS if key.startswith("site-")}
    concurrency = {key: queue.concurrency for key, queue in sites.items() if queue}
    assert concurrency.pop("site-data") == 800
    concurrency.pop("site-initiate")
    assert set(concurrency.values()) == {32}


def test_the_procedures_are_the_documents():
    """Each of the twenty in a file of its own name."""
    files = {path.stem.split("_", 1)[1] for path in (ROOT / "sql" / "procedures").rglob("*.sql")}
    assert files >= DOCUMENTED_PROCEDURES


def test_procedure_folders_are_named_after_steps_and_stand_in_their_order():
    folders = [path.name for path in sorted((ROOT / "sql" / "procedures").iterdir())]
    steps = [machine.step for machine in CATALOGUE.state_machines]
    for folder in folders:
        number, name = folder.split("-", 1)
        if name not in ("common", "grants"):
            assert steps.index(name) == int(number), folder


def snake_case(run_type: str) -> str:
    """As bua.snake_case: SegmentJurisdictionFix is segment_jurisdiction_fix, NEM12 is nem12."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", run_type).lower()


def test_a_run_type_is_in_its_steps_folder_and_nowhere_else():
    """Its three routines are found by name, so a misspelt one would never be called."""
    allowed: dict[str, set[str]] = {}
    for position, machine in enumerate(CATALOGUE.state_machines):
        page = ROOT / "sql" / "procedures" / f"{position:02d}-{machine.step}" / "000_run_types.sql"
        assert page.is_file() == bool(machine.run_types), page
        for run_type in machine.run_types:
            name = snake_case(run_type)
            allowed[name] = set(
                re.findall(rf"create or replace \w+ bua\.(list|reset|work_off)_{name}\(", page.read_text("utf-8"))
            )
            assert "list" in allowed[name], f"{page} does not say what there is to do for {run_type}"
    pages = " ".join(path.read_text("utf-8") for path in (ROOT / "sql" / "procedures").rglob("000_run_types.sql"))
    found = re.findall(r"create or replace (?:function|procedure) bua\.(?:list|reset|work_off)_(\w+)\(", pages)
    assert set(found) - {"segment_months"} == allowed.keys()


def test_every_step_of_the_sql_has_its_tests_under_its_name():
    tests = ROOT / "tests" / "sql"
    names = [path.name.split("-", 1)[1] for path in (ROOT / "sql" / "procedures").iterdir()]
    without = [n for n in names if not ((tests / n).is_dir() or (tests / f"test_{n.replace('-', '_')}.py").is_file())]
    assert without == []
