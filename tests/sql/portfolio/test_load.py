"""Loading a portfolio into the platform's database and its interval store."""

import dataclasses
from datetime import date
from decimal import Decimal

import boto3
import pytest
from moto import mock_aws
from tests.local.portfolio.fuzzing import judge

from local.aws import names
from local.portfolio.format import read_portfolio
from local.portfolio.load import load_portfolio
from local.portfolio.problems import InvalidPortfolio
from local.portfolio.production import load_production
from shared.errors import InvalidInput

RUN_DATE = date(2026, 11, 1)


def rows(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture
def loaded(platform_database, folder):
    with platform_database.connect() as connection:
        load_portfolio(connection, read_portfolio(folder, RUN_DATE))
        yield connection


def test_rows_of_every_table_are_counted(platform_database, folder):
    with platform_database.connect() as connection:
        assert load_portfolio(connection, read_portfolio(folder, RUN_DATE)) == {
            "public_holiday": 1,
            "plan": 3,
            "plan_item": 11,
            "time_class_window": 4,
            "site": 3,
            "account": 4,
            "account_plan": 0,
            "account_site": 4,
            "meter": 4,
            "meter_register": 6,
            "meter_read": 6,
            "aggregated_read": 2,
            "gas_volume": 2,
            "temperature": 0,
            "invoice": 4,
            "invoice_line_item": 4,
        }


HARD_TO_COPY = ["\\.", "\\N", "a\\tb", 'say ""x""', "a;b'c", "{1,2}", "Z\u00fcrich \U0001f600", "NULL", "\u6f22" * 100]


def test_texts_that_mean_something_to_copy_arrive_as_they_are(platform_database, folder):
    """A plan's code stands alone in its table, where a backslash and a point would end the data."""
    with (folder / "plans.csv").open("a", encoding="utf-8") as plans:
        for number, code in enumerate(HARD_TO_COPY, start=1001):
            plans.write(f'"{code}",DAILY,ANYTIME,2025-01-01,,{number},,,\n')
    with platform_database.connect() as connection:
        load_portfolio(connection, read_portfolio(folder, RUN_DATE))
        found = rows(connection, "select plan_code from core.plan_item where rate > 1000 order by rate")
        assert found == [(code.replace('""', '"'),) for code in HARD_TO_COPY]
        assert rows(connection, "select count(*) from core.plan") == [(3 + len(HARD_TO_COPY),)]


def test_the_largest_texts_and_numbers_that_are_taken_fit_their_columns(platform_database, folder):
    """Three texts of 100 characters of four bytes are in one index row."""
    long = "\U0001f600" * 100
    edits = {
        "registers.csv": [("M4,01", f"{long},{long}"), ("BASIC,MJ,4", "BASIC,MJ,12")],
        "basic_reads.csv": [("M4,01", f"{long},{long}"), ("9990,39.5", "999999999999.999999999999,0.01")],
        "gas_volumes.csv": [("410000.5", "1000000000000")],
        "plans.csv": [("0.04", "-100000.000000000000")],
        "invoice_lines.csv": [("45,8.10", "10000000000,-1000000000000")],
    }
    for file, changes in edits.items():
        text = (folder / file).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (folder / file).write_text(text, encoding="utf-8")
    with platform_database.connect() as connection:
        load_portfolio(connection, read_portfolio(folder, RUN_DATE))
        assert rows(connection, "select max(length(register_id)) from core.meter_register") == [(100,)]


def test_megawatt_hours_are_kilowatt_hours_to_the_platform(platform_database, folder):
    text = (folder / "registers.csv").read_text(encoding="utf-8").replace(",KWH,", ",MWh,")
    (folder / "registers.csv").write_text(text, encoding="utf-8")
    with platform_database.connect() as connection:
        load_portfolio(connection, read_portfolio(folder, RUN_DATE))
        assert rows(connection, "select distinct uom from core.meter_register order by 1") == [
            ("KWH",),
            ("MJ",),
            ("WH",),
        ]


def test_damaged_portfolios_that_are_taken_can_be_loaded(platform_database, tmp_path):
    """What passes the door passes COPY and its keys too."""
    loaded = 0
    with platform_database.connect() as connection:
        for number in range(1500):
            portfolio = judge(tmp_path / "portfolio", 5, number)
            if portfolio is not None:
                load_portfolio(connection, portfolio)
                connection.rollback()
                loaded += 1
    assert loaded > 50


def test_blocks_are_numbered_in_file_order_and_blank_discounts_are_none(loaded):
    found = rows(
        loaded,
        """select rate, block_number, block_limit_per_day, valid_to, discount_percent, discount_propensity
           from core.plan_item where plan_code = 'FLAT' and item_type = 'USAGE' order by valid_from, block_number""",
    )
    end = date(2026, 6, 30)
    assert found == [
        (Decimal("0.30"), 1, Decimal(10), end, Decimal(12), Decimal("0.85")),
        (Decimal("0.35"), 2, None, end, Decimal(0), Decimal(1)),
        (Decimal("0.40"), 1, None, None, Decimal(0), Decimal(1)),
    ]


def test_windows_are_minutes_of_the_local_day(loaded):
    found = rows(
        loaded, "select time_class, days, start_minute, end_minute from core.time_class_window order by 1, 2, 3"
    )
    assert found == [
        ("OFFPEAK", "WEEKDAY", 0, 840),
        ("OFFPEAK", "WEEKDAY", 1230, 1440),
        ("OFFPEAK", "WEEKEND", 0, 1440),
        ("PEAK", "WEEKDAY", 840, 1230),
    ]


def test_accounts_follow_each_other_on_a_site(loaded):
    found = rows(
        loaded, "select account_id, from_date, to_date from core.account_site where site_id = '4103000001' order by 2"
    )
    assert found == [("A1", date(2025, 1, 1), date(2026, 6, 30)), ("A2", date(2026, 7, 1), None)]
    assert rows(loaded, "select site_id from core.account_site where account_id = 'B1'") == [("QAAAVZZZZZ",)]


def test_usage_between_actual_reads_crosses_the_estimate_and_the_rollover(loaded):
    """99000.5 to 900.75 with five digits: 100000 - 99000.5 + 900.75 = 1900.25; the read of 16 June is an estimate."""
    found = rows(
        loaded,
        """select suffix, from_date, to_date, time_class, read_state, quantity, origin
           from core.aggregated_read join core.meter_register using (meter_register_id) order by suffix""",
    )
    span = (date(2026, 3, 17), date(2026, 9, 14), "ANYTIME", "ACTUAL")
    assert found == [("11", *span, Decimal("1900.25"), "PLATFORM"), ("41", *span, Decimal(80), "PLATFORM")]


def test_the_factor_of_the_later_read_makes_units_of_an_index(platform_database, folder):
    with (folder / "basic_reads.csv").open("a") as file:
        file.write("5240000001,M4,01,2026-11-01,15,40,A\n")  # 10000 - 9990 + 15 = 25 units of 40 MJ
    with platform_database.connect() as connection:
        load_portfolio(connection, read_portfolio(folder, RUN_DATE))
        gas = rows(
            connection,
            """select from_date, to_date, quantity from core.aggregated_read join core.meter_register
               using (meter_register_id) where uom = 'MJ'""",
        )
    assert gas == [(date(2026, 9, 1), date(2026, 10, 31), Decimal(1000))]


def test_invoices_carry_the_sum_of_their_lines(loaded):
    found = rows(
        loaded, "select invoice_id, is_estimated, is_reversed, net_amount, origin from core.invoice order by 1"
    )
    assert found == [
        ("I1", False, False, Decimal("334.15"), "PLATFORM"),
        ("I2", False, True, Decimal(0), "PLATFORM"),
        ("I3", True, False, Decimal(0), "PLATFORM"),
        ("I4", False, False, Decimal("8.10"), "PLATFORM"),
    ]


def test_new_registers_get_keys_of_their_own(loaded):
    (key,) = rows(
        loaded,
        """insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, start_date)
           values ('5240000001', 'M4', '02', '02', 'PRIMARY', 'BASIC', 'MJ', '2026-01-01') returning meter_register_id""",
    )
    assert key == (7,)


def test_a_database_that_holds_accounts_is_refused(loaded, folder):
    with pytest.raises(InvalidInput, match="holds accounts already"):
        load_portfolio(loaded, read_portfolio(folder, RUN_DATE))


@dataclasses.dataclass
class Production:
    """Production's database, with an interval store that moto keeps."""

    production_dsn: str

    def client(self, account, service):
        assert account == "EARL"
        return boto3.client(service, "ap-southeast-2")


@pytest.fixture
def production(platform_database, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("dynamodb", "ap-southeast-2").create_table(
            TableName=names.EARL_INTERVAL_TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Production(platform_database.dsn)


def meter_data(folder, *records, unit="KWH", suffix="E1"):
    (folder / "nem12").mkdir(exist_ok=True)
    header = f"100,NEM12,202611010000,MDP,RETAILER\n200,4103000001,E1B1,{suffix},{suffix},N1,M2,{unit},30,\n"
    (folder / "nem12" / f"{suffix}.csv").write_text(header + "".join(f"{record}\n" for record in records) + "900\n")


def record(day, value, quality="A"):
    return f"300,{day}," + f"{value}," * 48 + f"{quality},,,20261101020000,"


def test_interval_reads_are_stored_and_billed_by_local_day_and_class(production, folder, platform_database):
    """Wednesday 16 and Thursday 17 September 2026, still winter time: a bill day is the market day.

    TOU has its peak from 14:00 to 20:30: 13 half-hours of 0.5 kWh are 6.5 kWh, the other 35 are 17.5 kWh. Feed-in is priced
    at any time: 48 x 250 Wh = 12 kWh.
    """
    meter_data(folder, record("20260916", "0.5"), record("20260917", "0.5", "E52"))
    meter_data(folder, record("20260916", "250"), unit="WH", suffix="B1")
    load_production(production, read_portfolio(folder, RUN_DATE))
    with platform_database.connect() as connection:
        found = rows(
            connection,
            """select suffix, from_date, to_date, time_class, read_state, quantity from core.aggregated_read
               join core.meter_register using (meter_register_id) where read_type = 'INTERVAL' order by 1, 2, 4""",
        )
    first, second = date(2026, 9, 16), date(2026, 9, 17)
    assert found == [
        ("B1", first, first, "ANYTIME", "ACTUAL", Decimal(12)),
        ("E1", first, first, "OFFPEAK", "ACTUAL", Decimal("17.5")),
        ("E1", first, first, "PEAK", "ACTUAL", Decimal("6.5")),
        ("E1", second, second, "OFFPEAK", "ESTIMATED", Decimal("17.5")),
        ("E1", second, second, "PEAK", "ESTIMATED", Decimal("6.5")),
    ]
    items = production.client("EARL", "dynamodb").scan(TableName=names.EARL_INTERVAL_TABLE)["Items"]
    assert sorted((item["pk"]["S"], item["sk"]["S"]) for item in items) == [
        ("NEM|DATA|NMI|4103000001|ACT", "2026-09-16|B1"),
        ("NEM|DATA|NMI|4103000001|ACT", "2026-09-16|E1"),
        ("NEM|DATA|NMI|4103000001|EST", "2026-09-17|E1"),
    ]


def test_a_large_site_passes_to_the_platforms_quantities(production, folder, platform_database):
    """48 x 2,500.123456 kWh are 120,005.925888: in the 32 bits of a half-hour five decimals are left, of the day all."""
    meter_data(folder, record("20260916", "2500.123456"))
    load_production(production, read_portfolio(folder, RUN_DATE))
    with platform_database.connect() as connection:
        found = rows(
            connection,
            "select sum(quantity) from core.aggregated_read join core.meter_register using (meter_register_id) where read_type = 'INTERVAL'",
        )
    assert [round(quantity, 3) for (quantity,) in found] == [Decimal("120005.926")]


def test_a_bad_meter_data_file_leaves_nothing_loaded(production, folder, platform_database):
    meter_data(folder, record("20260916", "0.5"), record("20260931", "0.5"))
    with pytest.raises(InvalidPortfolio, match=r"nem12/E1.csv:4: "):
        load_production(production, read_portfolio(folder, RUN_DATE))
    with platform_database.connect() as connection:
        assert rows(connection, "select count(*) from core.account") == [(0,)]
    assert production.client("EARL", "dynamodb").scan(TableName=names.EARL_INTERVAL_TABLE)["Items"] == []
