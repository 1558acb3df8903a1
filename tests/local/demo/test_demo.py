"""The demo portfolio as it is written: sound, the same every time, and with every awkward case really in it."""

import csv
import gzip
import hashlib
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from local.demo import write_demo
from local.demo.cast import awkward
from local.portfolio.format import read_portfolio

RUN_DATE = date(2026, 11, 1)
ACCRUAL = date(2026, 10, 31)
PERIOD_START = date(2025, 11, 1)
DAY = timedelta(days=1)


def checksums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def texts(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "nem12").iterdir()):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name).decode() for name in archive.namelist())
        else:
            yield (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()


@dataclass
class Told:
    """What the folder says, row by row, by whom it concerns."""

    truth: dict[str, dict[str, str]]
    accounts: dict[str, dict[str, str]]
    invoices: dict[str, list[dict[str, str]]]
    registers: dict[str, list[dict[str, str]]]
    reads: dict[str, list[dict[str, str]]]
    days: dict[tuple[str, str], list[list[str]]]  # NMI and suffix -> 300 records
    lengths: dict[str, set[str]]
    events: dict[str, list[list[str]]]  # NMI -> 400 records

    def of(self, *cases: str) -> list[dict[str, str]]:
        """Return the accounts that have all of these cases, each with its row of truth.csv."""
        found = [
            self.accounts[key] | {f"true_{name}": value for name, value in row.items()}
            for key, row in self.truth.items()
            if set(cases) <= set(row["cases"].split())
        ]
        assert found, f"nobody is {cases}"
        return found

    def last_day(self, site: str, suffix: str = "E1") -> date:
        return max(date.fromisoformat(row[1]) for row in self.days[site, suffix])


@pytest.fixture(scope="module")
def told(demo: Path) -> Told:
    def rows(name: str) -> list[dict[str, str]]:
        with (demo / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def by(rows: list[dict[str, str]], column: str) -> dict[str, list[dict[str, str]]]:
        found = defaultdict(list)
        for row in rows:
            found[row[column]].append(row)
        return found

    days, lengths, events = defaultdict(list), defaultdict(set), defaultdict(list)
    for text in texts(demo):
        for record in csv.reader(text.splitlines()):
            if record[0] == "200":
                stream = (record[1], record[4])
                lengths[record[1]].add(record[8])
            elif record[0] == "300":
                days[stream].append(record)
            elif record[0] == "400":
                events[stream[0]].append(record)
    accounts = {row["account_id"]: row | {"site_id": row["site_id"][:10]} for row in rows("accounts.csv")}
    return Told(
        truth={row["account_id"]: row for row in rows("truth.csv")},
        accounts=accounts,
        invoices=by(rows("invoices.csv"), "account_id"),
        registers=by(rows("registers.csv"), "site_id"),
        reads=by(rows("basic_reads.csv"), "site_id"),
        days=days,
        lengths=lengths,
        events=events,
    )


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo as `make run` has it."""
    path = tmp_path_factory.mktemp("default")
    write_demo(path, run_date=RUN_DATE)
    return path


class TestFolder:
    def test_the_same_seed_gives_the_same_bytes(self, demo, tmp_path):
        write_demo(tmp_path, accounts=130, seed=7, run_date=RUN_DATE)
        assert checksums(tmp_path) == checksums(demo)

    def test_another_seed_gives_other_reads(self, demo, tmp_path):
        write_demo(tmp_path, accounts=130, seed=8, run_date=RUN_DATE)
        changed = {name for name, value in checksums(demo).items() if checksums(tmp_path).get(name) != value}
        assert {"basic_reads.csv", "truth.csv", "invoices.csv"} <= changed
        assert "plans.csv" not in changed

    def test_it_is_sound(self, demo):
        portfolio = read_portfolio(demo, RUN_DATE)
        assert len(portfolio.accounts) == 130
        assert {remark.split(": ", 1)[1] for remark in portfolio.remarks if remark.startswith("nem12/")} == {
            "quality N is from old files: the intervals are missing"
        }

    @pytest.mark.parametrize("run_date", [date(2026, 5, 1), date(2027, 1, 1), date(2028, 3, 1)])
    def test_it_is_sound_for_other_months(self, tmp_path, run_date):
        least = sum(len(place.tenants) for place in awkward())
        write_demo(tmp_path, accounts=least, seed=1, run_date=run_date)
        assert len(read_portfolio(tmp_path, run_date).accounts) == least


class TestDefaultSize:
    """What only holds once there are enough ordinary customers around the awkward ones."""

    def test_ordinary_segments_have_the_five_sites_that_a_profile_needs(self, default):
        portfolio = read_portfolio(default, RUN_DATE)
        places = {account.site_id: account for account in portfolio.accounts}
        sites = defaultdict(set)
        for register in portfolio.registers:
            if register.read_type == "INTERVAL":
                place = places[register.site_id]
                sites[place.jurisdiction, place.customer_class, register.stream_type].add(register.site_id)
        counts = {segment: len(found) for segment, found in sites.items()}
        assert {segment for segment, count in counts.items() if count < 5} == {
            ("TAS", "RES", "PRIMARY"),
            ("ACT", "RES", "PRIMARY"),
        }
        assert counts["NSW", "RES", "PRIMARY"] > 40
        kinds = Counter("GAS" if account.fuel == "GAS" else account.account_id[0] for account in portfolio.accounts)
        assert kinds == {"2": 120, "3": 120, "GAS": 120}

    def test_a_giant_dwarfs_its_segment(self, default):
        with (default / "truth.csv").open(encoding="utf-8") as file:
            truth = {row["account_id"]: row for row in csv.DictReader(file)}
        means = {}
        for account in read_portfolio(default, RUN_DATE).accounts:
            row = truth[account.account_id]
            if row["read_type"] == "INTERVAL" and (account.jurisdiction, account.customer_class) == ("NSW", "BUS"):
                means[account.account_id] = Decimal(row["units_true"]) / int(row["unbilled_days"])
        (giant,) = (key for key in means if "giant" in truth[key]["cases"])
        assert means[giant] > 20 * sorted(means.values())[len(means) // 2]

    def test_half_of_a_growing_segment_came_in_the_last_months_and_the_last_are_the_largest(self, default):
        accounts = read_portfolio(default, RUN_DATE).accounts
        for state, customer_class in (("VIC", "RES"), ("NSW", "BUS")):
            opened = sorted(
                account.open_date
                for account in accounts
                if (account.jurisdiction, account.customer_class) == (state, customer_class)
                and account.account_id.startswith("2")
            )
            late = [day for day in opened if day > ACCRUAL - 170 * DAY]
            assert 0.4 <= len(late) / len(opened) <= 0.55
            assert len(set(late)) > 3

    def test_a_part_of_the_customers_has_three_years_of_reads(self, default):
        first: dict[str, date] = {}
        for read in read_portfolio(default, RUN_DATE).basic_reads:
            first[read.site_id] = min(read.read_date, first.get(read.site_id, read.read_date))
        old = sum(day < RUN_DATE - 800 * DAY for day in first.values())
        assert 0.3 <= old / len(first) <= 0.6

    def test_all_packings_are_there(self, default):
        endings = Counter("".join(path.suffixes) for path in (default / "nem12").iterdir())
        assert set(endings) == {".csv", ".csv.gz", ".zip"}


class TestBilling:
    def test_never_billed(self, told):
        for row in told.of("never_billed"):
            assert row["account_id"] not in told.invoices
            assert row["true_unbilled_from"] == max(row["open_date"], PERIOD_START.isoformat())

    def test_unbilled_before_the_period(self, told):
        for row in told.of("unbilled_before_period"):
            assert row["open_date"] < PERIOD_START.isoformat()
            assert row["true_unbilled_days"] == "365"

    def test_closed(self, told):
        for row in told.of("closed_unbilled"):
            assert row["close_date"] == row["true_unbilled_to"]
            assert row["close_date"] < ACCRUAL.isoformat()
        for row in told.of("closed_billed"):
            assert told.invoices[row["account_id"]][-1]["to_date"] == row["close_date"]
            assert (row["true_unbilled_days"], row["true_unbilled_from"], row["true_units_true"]) == ("0", "", "0.000")

    def test_move_in_and_move_out_on_one_site(self, told):
        sites = Counter(row["site_id"] for row in told.accounts.values())
        moved = [site for site, count in sites.items() if count == 3]
        assert len(moved) == 3  # interval, basic, gas
        assert len(told.of("move_in", "never_billed")) == 3
        assert len(told.of("move_out", "closed_unbilled")) == 3

    def test_due_states(self, told):
        for row in told.of("overdue"):
            assert row["next_bill_date"] < (ACCRUAL - 10 * DAY).isoformat()
        for row in told.of("due"):
            assert (ACCRUAL - 10 * DAY).isoformat() <= row["next_bill_date"] <= ACCRUAL.isoformat()

    def test_estimated_bills(self, told):
        for row in told.of("estimated_bill"):
            assert told.invoices[row["account_id"]][-1]["estimated"] == "true"
        for row in told.of("estimated_bill", "basic"):
            assert any(read["quality"] == "E" for read in told.reads[row["site_id"]])

    def test_a_reversed_bill_leaves_a_hole(self, told):
        for row in told.of("reversed_hole"):
            (back,) = (invoice for invoice in told.invoices[row["account_id"]] if invoice["reversed"] == "true")
            span = date.fromisoformat(row["true_unbilled_to"]) - date.fromisoformat(row["true_unbilled_from"])
            assert row["true_unbilled_from"] == back["from_date"]
            assert int(row["true_unbilled_days"]) < span.days  # billed days lie between

    def test_a_reversed_bill_that_was_made_anew_leaves_none(self, told):
        for row in told.of("reversed_rebilled"):
            (back,) = (invoice for invoice in told.invoices[row["account_id"]] if invoice["reversed"] == "true")
            again = [i for i in told.invoices[row["account_id"]] if i["from_date"] == back["from_date"]]
            assert [invoice["reversed"] for invoice in again] == ["true", "false"]
            assert row["true_unbilled_from"] > back["to_date"]

    def test_a_bill_issued_after_the_accrual_date_does_not_count(self, told):
        for row in told.of("issued_late"):
            late = told.invoices[row["account_id"]][-1]
            assert late["issued_date"] > ACCRUAL.isoformat()
            assert row["true_unbilled_from"] == late["from_date"]


class TestIntervalReads:
    def test_missing_at_the_end(self, told):
        for row in told.of("missing_end"):
            expected = min(ACCRUAL, date.fromisoformat(row["true_unbilled_to"]))
            assert told.last_day(row["site_id"]) < expected
            assert Decimal(row["true_units_known"]) <= Decimal(row["true_units_true"])
            assert row["true_complete"] == "false"

    def test_missing_in_the_middle(self, told):
        for row in told.of("missing_middle"):
            days = sorted({record[1] for record in told.days[row["site_id"], "E1"]})
            dates = [date.fromisoformat(day) for day in days]
            assert any(after - before > DAY for before, after in pairwise(dates))

    def test_never_read_register(self, told):
        (primary,) = (row for row in told.of("never_read") if "solar" not in row["true_cases"])
        assert (primary["site_id"], "E1") not in told.days
        (solar,) = told.of("never_read", "solar")
        assert (solar["site_id"], "E1") in told.days
        assert (solar["site_id"], "B1") not in told.days
        assert Decimal(solar["true_solar_true"]) > 0

    def test_interval_lengths(self, told):
        assert {row["site_id"]: told.lengths[row["site_id"]] for row in told.of("five_minute")}.values()
        for case, length in (("five_minute", "5"), ("fifteen_minute", "15"), ("solar", "30")):
            for row in told.of(case):
                assert told.lengths[row["site_id"]] == {length}
        (fine,) = told.of("fine_decimals")
        assert len(told.days[fine["site_id"], "E1"][0][2].split(".")[1]) == 5

    def test_streams(self, told):
        for row in told.of("stream_solar"):
            assert "B1" in {register["suffix"] for register in told.registers[row["site_id"]]}
        suffixes = {
            row["true_read_type"]: {register["suffix"] for register in told.registers[row["site_id"]]}
            for row in told.of("stream_control")
        }
        assert "E2" in suffixes["INTERVAL"]
        assert suffixes["BASIC"] == {"11", "41"}

    def test_qualities(self, told):
        qualities = defaultdict(set)
        for (site, _), records in told.days.items():
            qualities[site] |= {record[-5][:1] for record in records}
        assert all(qualities[row["site_id"]] >= {"A", "E"} for row in told.of("delivered_estimates", "time_of_use"))
        assert all(qualities[row["site_id"]] == {"A", "S", "F"} for row in told.of("delivered_substitutes"))
        assert all("V" in qualities[row["site_id"]] for row in told.of("varying_quality"))
        assert all({"N", "V"} <= qualities[row["site_id"]] for row in told.of("missing_part_of_day"))

    def test_events_cover_their_day(self, told):
        for row in told.of("varying_quality"):
            events = told.events[row["site_id"]]
            assert events[0][1] == "1"
            assert events[-1][2] == "48"
            assert all(int(a[2]) + 1 == int(b[1]) or b[1] == "1" for a, b in pairwise(events))

    def test_redelivered_days_have_two_versions(self, told):
        for row in told.of("redelivered"):
            versions = defaultdict(list)
            for record in told.days[row["site_id"], "E1"]:
                versions[record[1]].append(record)
            twice = {day: records for day, records in versions.items() if len(records) == 2}
            assert len(twice) == 4
            for records in twice.values():
                newest = max(records, key=lambda record: record[-2])
                assert {record[-5] for record in records} == {"A", "E52"}
                assert newest[-5] == "A"
            assert row["true_complete"] == "true"

    def test_meter_change(self, told):
        for row in told.of("meter_change"):
            old, new = (r for r in told.registers[row["site_id"]] if r["stream_type"] == "PRIMARY")
            assert old["meter_serial"] != new["meter_serial"]
            assert date.fromisoformat(old["end_date"]) + DAY == date.fromisoformat(new["start_date"])
            assert row["true_unbilled_from"] < new["start_date"] <= row["true_unbilled_to"]

    def test_a_roll_out_goes_from_an_index_to_half_hours(self, told):
        (row,) = told.of("roll_out")
        old, new = sorted(told.registers[row["site_id"]], key=lambda register: register["start_date"])
        assert (old["read_type"], new["read_type"]) == ("BASIC", "INTERVAL")
        changed = date.fromisoformat(new["start_date"])
        assert date.fromisoformat(old["end_date"]) + DAY == changed
        assert max(read["read_date"] for read in told.reads[row["site_id"]]) == changed.isoformat()
        days = sorted(record[1] for record in told.days[row["site_id"], "E1"])
        assert (days[0], len(days)) == (f"{changed:%Y%m%d}", 6)  # too few to estimate the last six days from
        assert changed.isoformat() <= row["true_unbilled_from"]

    def test_a_segment_of_basic_meters_alone(self, told):
        (row,) = told.of("no_profile")
        assert (row["jurisdiction"], row["customer_class"]) == ("TAS", "BUS")
        assert len(told.reads[row["site_id"]]) > 3

    def test_watt_hours(self, told):
        for row in told.of("watt_hours"):
            assert {register["uom"] for register in told.registers[row["site_id"]]} == {"WH"}
            assert all(value.isdigit() for value in told.days[row["site_id"], "E1"][0][2:50])

    def test_vacant_sites_use_nothing(self, told):
        for row in told.of("vacant"):
            assert row["true_units_true"] == "0.000"
            assert int(row["true_unbilled_days"]) > 0

    def test_days_that_clocks_prices_and_holidays_make_special(self, told):
        for row in told.of("daylight_saving_switch"):
            assert row["true_unbilled_from"] <= "2026-10-04" <= row["true_unbilled_to"]
            assert row["jurisdiction"] in {"NSW", "VIC", "SA", "ACT", "TAS"}
        for row in told.of("price_change_in_window"):
            assert row["true_unbilled_from"] < "2026-10-15" < row["true_unbilled_to"]
        assert any(row["plan_code"] == "HOME-TOU" for row in told.of("public_holiday"))

    def test_western_australia_and_thin_segments(self, told):
        assert {row["jurisdiction"] for row in told.of("western_australia")} == {"WA"}
        assert {row["jurisdiction"] for row in told.of("thin_segment")} == {"TAS", "ACT"}

    def test_a_household_that_changes_uses_more_from_then_on(self, told):
        (row,) = (r for r in told.of("level_change", "missing_end") if r["true_read_type"] == "INTERVAL")
        changed = ACCRUAL - 75 * DAY
        before, after = [], []
        for record in told.days[row["site_id"], "E1"]:
            day = date.fromisoformat(record[1])
            if abs((day - changed).days) <= 40:
                (before if day < changed else after).append(sum(map(Decimal, record[2:50])))
        assert 1.5 < (sum(after) / len(after)) / (sum(before) / len(before)) < 2.4  # 1.9, with noise and season

    def test_nobody_at_home_uses_nothing(self, told):
        """From 170 to 39 days before the end, with a read 40 days before it."""
        for row in told.of("away"):
            reads = [r for r in told.reads[row["site_id"]] if r["quality"] == "A"]
            spans = {b["read_date"]: Decimal(b["index_value"]) - Decimal(a["index_value"]) for a, b in pairwise(reads)}
            *earlier, last = (used for _, used in sorted(spans.items()))
            assert last == 0
            assert min(earlier[:-1]) > 0
            assert Decimal(row["true_units_true"]) > 0

    def test_opened_without_history(self, told):
        for row in told.of("opened_recently"):
            assert int(row["true_unbilled_days"]) < 14


class TestBasicReads:
    def test_rollover(self, told):
        for row in told.of("rollover"):
            values = [Decimal(read["index_value"]) for read in told.reads[row["site_id"]] if read["quality"] == "A"]
            assert any(after < before for before, after in pairwise(values))
            assert max(values) < 100000

    def test_reads_inside_the_unbilled_window(self, told):
        for row in told.of("read_inside_window"):
            inside = [
                read
                for read in told.reads[row["site_id"]]
                if row["true_unbilled_from"] < read["read_date"] <= row["true_unbilled_to"] and read["quality"] == "A"
            ]
            assert inside
            assert Decimal(row["true_units_known"]) > 0

    def test_a_read_that_spans_billed_days_tells_nothing_exactly(self, told):
        for row in told.of("read_spans_billed_days"):
            assert row["true_units_known"] == "0.000"

    def test_final_reads(self, told):
        final = [row for row in told.of("closed_unbilled") if row["true_read_type"] == "BASIC"]
        assert {row["true_complete"] for row in final if "no_final_read" in row["true_cases"]} == {"false"}
        assert {row["true_complete"] for row in final if "no_final_read" not in row["true_cases"]} == {"true"}

    def test_a_meter_change_is_read_on_both_meters(self, told):
        for row in told.of("meter_change", "basic"):
            old, new = (r for r in told.registers[row["site_id"]] if r["stream_type"] == "PRIMARY")
            reads = told.reads[row["site_id"]]
            swapped = [read["meter_serial"] for read in reads if read["read_date"] == new["start_date"]]
            assert {old["meter_serial"], new["meter_serial"]} <= set(swapped)

    def test_factors(self, told):
        assert {row["quantity_factor"] for read in told.of("index_factor") for row in told.reads[read["site_id"]]} == {
            "10"
        }
        assert {row["quantity_factor"] for read in told.of("gas") for row in told.reads[read["site_id"]]} == {"39.6844"}

    def test_gas_zones_have_a_volume_on_every_day(self, demo, told):
        zones = {(row["jurisdiction"], row["node"]) for row in told.of("gas")}
        days = defaultdict(set)
        with (demo / "gas_volumes.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                days[row["jurisdiction"], row["node"]].add(row["date"])
        assert zones <= set(days)
        assert {len(found) for found in days.values()} == {(RUN_DATE - date(2023, 11, 1)).days}

    def test_nothing_known_has_neither_bill_nor_read_nor_segment(self, told):
        (row,) = told.of("nothing_known")
        assert row["account_id"] not in told.invoices
        assert len(told.reads[row["site_id"]]) == 1
        assert (row["jurisdiction"], row["customer_class"]) == ("TAS", "BUS")

    def test_an_identifier_may_come_with_its_checksum(self, demo):
        with (demo / "accounts.csv").open(encoding="utf-8") as file:
            assert sum(len(row["site_id"]) == 11 for row in csv.DictReader(file)) == 1
