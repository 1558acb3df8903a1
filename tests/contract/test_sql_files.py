"""A SQL routine is found by its name: it is the name of its file."""

import re
from pathlib import Path

import pytest

from shared.database import contract
from shared.paths import ROOT

MADE = re.compile(r"^create or replace (?:function|procedure|view) ((?:bua|core)\.\w+)", re.MULTILINE)
COMMENT = re.compile(r"--.*")
# A page shows in one place what belongs together: the run types, the work items' outcomes, the exported files' columns.
PAGES = {"000_run_types.sql", "020_run_types.sql", "025_work_items.sql", "050_views.sql"}

FILES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "sql").rglob("*.sql"))}
PYTHON = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py")))
ROUTINES = [path for path, text in FILES.items() if MADE.search(text) and path.name not in PAGES]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", ROUTINES, ids=name)
def test_a_file_has_one_routine_that_others_call_and_its_private_helpers(path):
    routine, *helpers = MADE.findall(FILES[path])
    assert path.stem.split("_", 1)[1] == routine.split(".")[1]
    elsewhere = PYTHON + COMMENT.sub("", "".join(text for other, text in FILES.items() if other != path))
    assert [helper for helper in helpers if re.search(rf"\b{helper}\b", elsewhere)] == []


@pytest.mark.parametrize("path", ROUTINES, ids=name)
def test_its_header_says_what_it_is_for_and_why_a_rerun_is_safe(path):
    header = FILES[path].split("create or replace", 1)[0]
    assert header.startswith("-- Purpose: ")
    if "create or replace procedure" in FILES[path]:
        assert "Safe to rerun" in header


def test_every_table_of_the_platform_that_a_run_uses_is_in_the_contract():
    ours = COMMENT.sub(
        "", "".join(text for path, text in FILES.items() if path.is_relative_to(ROOT / "sql/procedures"))
    )
    assert set(re.findall(r"\bcore\.(\w+)", ours)) - set(contract.TABLES) == set()


def test_every_routine_is_called_by_sql_or_by_python():
    for_people = {"bua.bua_initiate", "bua.bua_list_missing_periods"}
    code = COMMENT.sub("", "".join(FILES.values()))
    routines = {routine for path in ROUTINES for routine in MADE.findall(FILES[path])}
    unused = {
        routine
        for routine in routines
        if len(re.findall(rf"\b{routine}\b", code)) == 1 and not re.search(rf"\b{routine.split('.')[1]}\b", PYTHON)
    }
    assert unused == for_people
