"""The rehearsal at a tiny scale: a whole month, every run type, nothing lost."""

import os

import pytest
from rich.console import Console

from local.performance import rehearsal
from local.performance.month import stages
from local.performance.rehearsal import Instance, Rehearsal, Wish
from shared import catalogue

ACCOUNTS, DAYS = 60, 120


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rehearsal, str]:
    """The rehearsal's measures, and the document that it wrote."""
    out = tmp_path_factory.mktemp("rehearsal") / "performance.md"
    out.write_text("# Performance\n\nIntroduction.\n\n## Another section\n\nStays.\n")
    os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
    wish = Wish([ACCOUNTS], DAYS, Instance("db.example", 4, 2.5, "an example"), out)
    (measured,) = rehearsal.run(wish, tmp_path_factory.mktemp("database"), Console(quiet=True))
    return measured, out.read_text()


def by_name(measured: Rehearsal):
    return {stage.name: measure for stage, measure in measured.measures.items()}


def test_every_run_type_of_the_catalogue_is_worked_off_and_reported(done):
    measured, text = done
    fan_outs = [stage.name for stage in measured.measures if stage.kind == "fan-out"]
    assert fan_outs == list(catalogue.load().run_types)
    assert all(f"\n| {name} | " in text for name in fan_outs)


def test_what_was_planned_was_worked(done):
    measured, _ = done
    found = {name: (m.items, m.worked) for name, m in by_name(measured).items() if m.messages}
    assert all(planned == worked for planned, worked in found.values())
    # Half of the accounts are interval sites; every account was open in the period; seven CSV files and ten of evidence.
    assert {name: found[name] for name in ("UtilityProfile", "PrepareExport", "Export", "ExportEvidence")} == {
        "UtilityProfile": (30, 30), "PrepareExport": (60, 60), "Export": (7, 7), "ExportEvidence": (10, 10),
    }  # fmt: skip
    # k = n / 4 is 0 to 14; a bill ends 37 k mod 91 days before TO: on TO itself for k = 0 alone.
    assert found["MicroScalar"] == (56, 56)


def test_reads_are_as_many_as_the_meters_have_days(done):
    measured, _ = done
    # 30 PRIMARY registers, and a SOLAR one where 5 divides k: k = 0, 5, 10, two sites each. Of the fifteen k, 0, 1, 2, 10, 11
    # and 12 lack two days, 13 lacks 21, and 7 was closed 31 days before TO.
    streams = {k: 2 * (2 if k % 5 == 0 else 1) for k in range(15)}
    late = {0: 2, 1: 2, 2: 2, 10: 2, 11: 2, 12: 2, 13: 21, 7: 31}
    assert measured.site_days == sum(n * (DAYS - late.get(k, 0)) for k, n in streams.items())


def test_processor_time_and_log_were_measured(done):
    measured, _ = done
    found = by_name(measured)
    assert found["UtilityProfile"].work.python_seconds > 0
    half_hours = 30 * DAYS * 48 * 4  # bytes: an int4 each
    assert found["UtilityProfile"].work.written_bytes > half_hours
    assert 0 < found["UtilityProfile"].work.wal_bytes < half_hours  # the copy is not logged, the sums beside it are
    assert found["MicroScalar"].work.backend_seconds > 0
    assert found["MicroScalar"].planning.backend_seconds > 0


def test_the_platforms_part_is_measured_apart(done):
    measured, _ = done
    platform = {stage.name for stage in measured.measures if stage.kind == "platform"}
    assert {"LOAD_NEM12", "IMPORT_NEM12", "GENERATE_ILI", "RUN_INVOICE_BATCH", "INVOICEGEN"} <= platform


def test_other_sections_stay(done):
    _, text = done
    assert text.startswith("# Performance\n\nIntroduction.\n\n## Another section\n\nStays.\n\n## Rehearsal")


def test_the_stages_are_the_state_machines_in_their_order():
    found = [stage.name for stage in stages()]
    order = [
        "UtilityProfile",
        "segments.macro_profile",
        "MicroScalar",
        "NEM12",
        "invoiceruns.initiate",
        "PrepareExport",
        "export.control",
    ]
    assert [name for name in found if name in order] == order
