"""Writes the demo portfolio's folder."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from local.demo import index_reads, interval_reads
from local.demo.cast import INTERVAL, cast
from local.demo.metered import Metered, meter_place
from local.demo.nem12 import nem12_text, write_nem12
from local.demo.rows import (
    account_rows,
    basic_read_rows,
    gas_volume_rows,
    invoice_rows,
    plan_rows,
    public_holiday_rows,
    temperature_rows,
    time_class_rows,
)
from local.demo.scene import PLACE, READS, Scene
from local.demo.tenancies import tenancies
from local.demo.truth import COLUMNS as TRUTH_COLUMNS
from local.demo.truth import truth_row
from local.portfolio.csv_files import columns_of
from local.portfolio.records import (
    Account,
    BasicRead,
    GasVolume,
    Invoice,
    InvoiceLine,
    PlanItem,
    PublicHoliday,
    Register,
    Temperature,
    TimeClassWindow,
)

Row = Sequence[object]
FIRST_ACCOUNT = {"INTERVAL": 200001, "BASIC": 300001, "GAS": 500001}
SITES_PER_ZIP = 6
FILES = {
    "accounts.csv": Account,
    "registers.csv": Register,
    "plans.csv": PlanItem,
    "time_classes.csv": TimeClassWindow,
    "invoices.csv": Invoice,
    "invoice_lines.csv": InvoiceLine,
    "basic_reads.csv": BasicRead,
    "gas_volumes.csv": GasVolume,
    "temperatures.csv": Temperature,
    "public_holidays.csv": PublicHoliday,
}


def write_demo(folder: Path, *, accounts: int = 360, seed: int = 1, run_date: date) -> None:
    """Write a portfolio of this size for a run of this date, and truth.csv; the same bytes for the same input.

    Raises InvalidInput when there are too few accounts for every awkward case.
    """
    scene = Scene(seed, run_date)
    tables: dict[str, list[Row]] = defaultdict(list)
    tables["plans.csv"] = list(plan_rows(scene))
    tables["time_classes.csv"] = list(time_class_rows())
    tables["public_holidays.csv"] = list(public_holiday_rows(scene))
    tables["gas_volumes.csv"] = list(gas_volume_rows(scene))
    tables["temperatures.csv"] = list(temperature_rows(scene))
    texts: dict[str, dict[str, str]] = defaultdict(dict)  # by packing and file name
    for metered in _places(accounts, scene):
        _tell(metered, scene, tables, texts)
    folder.mkdir(parents=True, exist_ok=True)
    for name, record_type in FILES.items():
        _write_csv(folder / name, list(columns_of(record_type)), tables[name])
    _write_csv(folder / "truth.csv", TRUTH_COLUMNS, tables["truth.csv"])
    _write_meter_data(folder / "nem12", texts, run_date)


def _places(accounts: int, scene: Scene) -> Iterable[Metered]:
    next_account = dict(FIRST_ACCOUNT)
    for number, place in enumerate(cast(accounts), start=1):
        rng = scene.rng(PLACE, number)
        own = tenancies(place, next_account[place.kind], scene.timeline, rng)
        next_account[place.kind] += len(own)
        yield meter_place(place, number, own, scene, rng)


def _tell(metered: Metered, scene: Scene, tables: dict[str, list[Row]], texts: dict[str, dict[str, str]]) -> None:
    """Add everything a retailer knows of a place, and to truth.csv what it does not know."""
    rng = scene.rng(READS, metered.number)
    reads: list[index_reads.IndexRead] = []
    if metered.place.rollout:
        _tell_indexes(metered.before_rollout(), scene, rng, tables)
        metered = metered.since_rollout()
    if metered.place.kind == INTERVAL:
        tables["registers.csv"].extend(interval_reads.register_rows(metered))
        channels = list(interval_reads.channels(metered, scene, rng))
        if any(channel.days for channel in channels):
            text = nem12_text(metered, channels, scene.run_date)
            texts[metered.place.packing][metered.site_id] = text
        if any(channel.corrections for channel in channels):
            text = nem12_text(metered, channels, scene.run_date, corrections=True)
            texts[".csv"][f"{metered.site_id}-corrections"] = text
    else:
        reads = _tell_indexes(metered, scene, rng, tables)
    tables["accounts.csv"].extend(account_rows(metered))
    for invoice, lines in invoice_rows(metered, scene):
        tables["invoices.csv"].append(invoice)
        tables["invoice_lines.csv"].extend(lines)
    tables["truth.csv"].extend(truth_row(metered, tenancy, reads, scene) for tenancy in metered.tenancies)


def _tell_indexes(
    metered: Metered, scene: Scene, rng: np.random.Generator, tables: dict[str, list[Row]]
) -> list[index_reads.IndexRead]:
    tables["registers.csv"].extend(index_reads.register_rows(metered))
    reads = index_reads.index_reads(metered, scene, rng)
    tables["basic_reads.csv"].extend(basic_read_rows(metered, reads))
    return reads


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_meter_data(folder: Path, texts: dict[str, dict[str, str]], run_date: date) -> None:
    for packing, files in texts.items():
        bundles = [files]
        if packing == ".zip":
            names = list(files)
            bundles = [
                {name: files[name] for name in names[start : start + SITES_PER_ZIP]}
                for start in range(0, len(names), SITES_PER_ZIP)
            ]
        for bundle in bundles:
            write_nem12(folder, bundle, packing, run_date)
