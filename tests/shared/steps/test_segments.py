"""site-data: from items of the interval store to rows of schema bua, worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.cloud import messages

from shared.aws import clients
from shared.metering.interval_store import DayReads, decode_items, encode_day
from shared.steps import utility_profile
from shared.steps.utility_profile import Register, assign
from shared.work import fanout
from shared.work.messages import FanOut, Work, parse

RUN_DATE = date(2026, 11, 1)
NMI = "6305000001"
MOVE = date(2026, 10, 10)  # the first day of the second occupant


def day(offset: int) -> date:
    return date(2026, 10, 9) + timedelta(days=offset)


def reads(offset: int, values: list[int], quality: str = "1-48:A", suffix: str = "E1", **more):
    return encode_day(
        DayReads(nmi=NMI, suffix=suffix, day=day(offset), interval_minutes=30, scale=3, values=values,
                 quality_runs=quality, uom="KWH", file="f.csv", updated="2026-10-20T00:00:00", **more)
    )  # fmt: skip


def register(number: int, first: date, last: date, suffix: str = "E1", segment: str = "NSW|RES|PRIMARY") -> Register:
    return Register(NMI, number, suffix, segment, first, last, "A1")


class TestAssigning:
    days = decode_items([reads(offset, [250] * 48) for offset in range(4)])

    def test_each_occupant_gets_his_own_days(self):
        site = assign(
            NMI, self.days, [register(1, day(0), day(0)), register(1, MOVE, day(9), segment="NSW|BUS|PRIMARY")]
        )
        assert [(r.segment, positions.tolist()) for r, positions in site.registers] == [
            ("NSW|BUS|PRIMARY", [1, 2, 3]),
            ("NSW|RES|PRIMARY", [0]),
        ]

    def test_a_day_that_nobody_occupies_is_nobodys(self):
        site = assign(NMI, self.days, [register(1, day(2), day(2))])
        assert site.days_written == 1

    def test_a_day_is_given_once(self):
        site = assign(NMI, self.days, [register(1, day(0), day(2)), register(1, day(2), day(3))])
        assert site.days_written == 4

    def test_another_suffix_is_another_register(self):
        assert assign(NMI, self.days, [register(1, day(0), day(3), suffix="B1")]).registers == []


def test_sums_leave_estimates_out_and_keep_micro_kwh():
    items = [
        reads(0, [250] * 48),
        reads(0, [100] * 24 + [300] * 24, "1-24:E57,25-48:A", suffix="E2"),
    ]
    days = decode_items(items)
    registers = [register(1, day(0), day(0)), register(2, day(0), day(0), suffix="E2")]
    ((segment, partial),) = utility_profile.add_up([assign(NMI, days, registers)]).items()
    assert segment == "NSW|RES|PRIMARY"
    assert partial.counts.tolist() == [[1] * 24 + [2] * 24]
    assert partial.totals.tolist() == [[250_000] * 24 + [550_000] * 24]
    assert partial.complete_totals.tolist() == [12_000_000]  # the first alone is complete


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], "{}"),
        (["2026-10-09"], "{[2026-10-09,2026-10-09]}"),
        (["2026-10-09", "2026-10-10", "2026-10-12"], "{[2026-10-09,2026-10-10],[2026-10-12,2026-10-12]}"),
        (["2026-03-01", "2026-02-27", "2026-02-28"], "{[2026-02-27,2026-03-01]}"),
    ],
)
def test_days_that_follow_each_other_are_one_range(days: list[str], expected: str):
    assert utility_profile.datemultirange(np.array(days, dtype="datetime64[D]")) == expected


@pytest.fixture
def platform(run_database, database, context, monkeypatch):
    """One site with two interval registers, occupied by two accounts one after the other, and its reads."""
    database.dsn_of = run_database.dsn_of
    with run_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"""
            insert into core.plan values ('FLAT');
            insert into core.site values ('{NMI}', 'ELECTRICITY', 'QLD', 'TNI1');
            insert into core.account values
                ('A1', 'ELECTRICITY', 'RES', 'QLD', 'MASS', 'FLAT', '2026-10-01', '2026-10-09', 91),
                ('A2', 'ELECTRICITY', 'BUS', 'QLD', 'MASS', 'FLAT', '2026-10-10', null, 91);
            insert into core.account_site values
                ('A1', '{NMI}', '2026-10-01', '2026-10-09'), ('A2', '{NMI}', '2026-10-10', null);
            insert into core.meter values ('{NMI}', 'M1');
            insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, start_date)
            values ('{NMI}', 'M1', 'E1', 'E1', 'PRIMARY', 'INTERVAL', 'KWH', '2020-01-01'),
                   ('{NMI}', 'M1', 'B1', 'B1', 'SOLAR', 'INTERVAL', 'KWH', '2020-01-01');
            """
        )
        connection.commit()
    items = [
        reads(0, [250] * 48),  # 2026-10-09, of A1
        reads(1, [1000] * 48),  # 2026-10-10, of A2
        reads(2, [0] * 47 + [125], "1-47:A,48-48:E57"),
        reads(1, [500] * 48, suffix="B1"),
        reads(3, [9] * 48, "1-48:E57", run_date=date(2026, 10, 1), origin="BUA"),  # last month's guess
    ]
    for item in items:
        clients.client("dynamodb").put_item(TableName=context.settings.interval_table, Item=item)
    monkeypatch.setattr(clients, "client_as", lambda service, _role, _name: clients.client(service))
    return run_database


@pytest.fixture
def work(platform, context) -> Work:
    fan_out = FanOut(
        run_date=RUN_DATE, run_type="UtilityProfile", step="segments", attempt="a", task_token="token",
        max_errors=0, acceptable_error_rate=0,
    )  # fmt: skip
    fanout.initiate(context, fan_out)
    (message,) = messages(context.settings.queue_url("site-data"))
    return parse(Work, message["Body"])


def rows(database, query: str):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_writes_every_occupied_day_once(platform, context, database, work):
    utility_profile.extract(context, work)
    found = rows(
        platform,
        "select r.suffix, u.profile_date, u.scale, u.half_hours[48], u.excluded_mask, u.missing_mask, u.day_total"
        " from bua.utility_profile u join core.meter_register r using (meter_register_id) order by 1 desc, 2",
    )
    assert found == [
        ("E1", date(2026, 10, 9), 2, 25, 0, 0, 12_000_000),  # 48 x 0.25 kWh, at the smallest scale that holds them
        ("E1", date(2026, 10, 10), 0, 1, 0, 0, 48_000_000),
        ("E1", date(2026, 10, 11), 3, 125, 1 << 47, 0, 125_000),
        ("B1", date(2026, 10, 10), 1, 5, 0, 0, 24_000_000),
    ]
    assert rows(platform, "select items_read, days_written, newest_update from bua.utility_profile_log") == [
        (4, 4, "2026-10-20T00:00:00")
    ]
    assert database.brief_sessions == 2


def test_a_run_with_a_table_of_its_own_reads_nothing_else(platform, context, work):
    """Production has gone on: its table says 9 kWh, the run's own 1 kWh for each half-hour of the 9th."""
    own, client = f"{context.settings.interval_table_prefix}2026-11-01", clients.client("dynamodb")
    definition = client.describe_table(TableName=context.settings.interval_table)["Table"]
    client.create_table(
        TableName=own, BillingMode="PAY_PER_REQUEST", KeySchema=definition["KeySchema"],
        AttributeDefinitions=definition["AttributeDefinitions"],
    )  # fmt: skip
    client.put_item(TableName=own, Item=reads(0, [1000] * 48))
    client.put_item(TableName=context.settings.interval_table, Item=reads(0, [9000] * 48))
    context.ledger.set_run(RUN_DATE, {"interval_table": own})
    utility_profile.extract(context, work)
    assert rows(platform, "select profile_date, day_total from bua.utility_profile") == [
        (date(2026, 10, 9), 48_000_000)
    ]
    assert rows(platform, "select interval_table, read_from <= read_to from bua.utility_profile_log") == [(own, True)]


def test_a_run_without_one_says_when_it_read_productions(platform, context, work):
    utility_profile.extract(context, work)
    found = rows(platform, "select interval_table, read_from <= read_to from bua.utility_profile_log")
    assert found == [("tst-earl-ddb-interval", True)]


def test_summarises_complete_days_by_register_and_class(platform, context, work):
    utility_profile.extract(context, work)
    found = rows(
        platform,
        "select segment, complete_days, complete_total, complete::text from bua.utility_profile_summary order by 1",
    )
    assert found == [
        ("QLD|BUS|PRIMARY", 1, 48_000_000, "{[2026-10-10,2026-10-11)}"),  # of the 11th a half-hour is estimated
        ("QLD|BUS|SOLAR", 1, 24_000_000, "{[2026-10-10,2026-10-11)}"),
        ("QLD|RES|PRIMARY", 1, 12_000_000, "{[2026-10-09,2026-10-10)}"),
    ]


def test_lists_the_days_of_which_some_half_hours_are_there(platform, context, work):
    guessed = reads(4, [1000] * 48, "1-48:E57")  # as a whole: nothing is there
    clients.client("dynamodb").put_item(TableName=context.settings.interval_table, Item=guessed)
    utility_profile.extract(context, work)
    found = rows(
        platform,
        "select i.segment, i.profile_date, r.suffix, i.excluded_mask from bua.incomplete_day i"
        " join core.meter_register r using (meter_register_id)",
    )
    assert found == [("QLD|BUS|PRIMARY", date(2026, 10, 11), "E1", 1 << 47)]


def test_leaves_partial_sums_for_the_segments(platform, context, work):
    utility_profile.extract(context, work)
    found = rows(
        platform,
        "select segment, profile_date, counts[1], totals[1], counts[48], totals[48], complete_total, first_item"
        " from bua.segment_partial order by 1, 2",
    )
    assert found == [
        ("QLD|BUS|PRIMARY", date(2026, 10, 10), 1, 1_000_000, 1, 1_000_000, 48_000_000, NMI),
        ("QLD|BUS|PRIMARY", date(2026, 10, 11), 1, 0, 0, 0, 0, NMI),
        ("QLD|BUS|SOLAR", date(2026, 10, 10), 1, 500_000, 1, 500_000, 24_000_000, NMI),
        ("QLD|RES|PRIMARY", date(2026, 10, 9), 1, 250_000, 1, 250_000, 12_000_000, NMI),
    ]


def test_a_message_delivered_twice_changes_nothing(platform, context, work):
    utility_profile.extract(context, work)
    before = rows(platform, "select * from bua.segment_partial order by segment, profile_date")
    utility_profile.extract(context, work)
    assert rows(platform, "select * from bua.segment_partial order by segment, profile_date") == before


def test_a_site_whose_items_make_no_sense_fails_alone(platform, context, work):
    bad = reads(0, [1] * 48)
    bad["val"] = {"B": b"short"}
    clients.client("dynamodb").put_item(TableName=context.settings.interval_table, Item=bad)
    utility_profile.extract(context, work)
    ((state, reason),) = rows(platform, "select state, reason from bua.bua_control")
    assert state == "FAIL"
    assert NMI in reason
    assert rows(platform, "select count(*) from bua.utility_profile") == [(0,)]


def test_micro_kwh_of_the_largest_scale_is_exact():
    assert np.int64(2**31 - 1) * 10**6 < 2**63


def test_a_half_hour_that_cannot_be_is_missing_and_recorded(platform, context, work):
    """An error code among 1 kWh half-hours of a business, on a day of its own."""
    clients.client("dynamodb").put_item(
        TableName=context.settings.interval_table, Item=reads(4, [1000] * 47 + [2**31 - 1])
    )
    utility_profile.extract(context, work)
    assert rows(
        platform,
        "select account_id, site_id, read_date, half_hours, kwh, qualities, value, limit_value, reason from bua.implausible_read",
    ) == [
        ("A2", NMI, date(2026, 10, 13), [48], [Decimal("2147483.647")], "A", Decimal("2147483.647"), 276, "HALF_HOURS")
    ]  # fmt: skip
    assert rows(
        platform,
        "select scale, half_hours[1], half_hours[48], substr(qualities, 47), missing_mask, excluded_mask, day_total"
        " from bua.utility_profile where profile_date = '2026-10-13'",
    ) == [(3, 1000, 0, "AN", 1 << 47, 1 << 47, 47_000_000)]
    assert rows(
        platform,
        "select complete_days, complete_total from bua.utility_profile_summary where segment = 'QLD|BUS|PRIMARY'",
    ) == [(1, 48_000_000)]
    ((counts, totals),) = rows(
        platform, "select counts, totals from bua.segment_partial where profile_date = '2026-10-13'"
    )
    assert (counts[46:], totals[46:]) == ([1, 0], [1_000_000, 0])
