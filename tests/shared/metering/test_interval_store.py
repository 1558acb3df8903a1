"""The interval store's item codec: values worked out by hand, exact totals by property, reading with moto."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import boto3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from shared.errors import InvalidInput
from shared.metering.interval_store import DayReads, decode_items, decode_run_items, encode_day, query_items, read_site
from shared.metering.pace import Pace

NMI = "2001985732"
DAY = date(2026, 10, 4)  # daylight saving starts in Sydney: market time knows nothing of it
TABLE = "tst-earl-ddb-interval"


def item(values=None, runs=None, minutes=30, scale=3, **changes):
    count = 1440 // minutes
    fields = {
        "nmi": NMI,
        "suffix": "E1",
        "day": DAY,
        "interval_minutes": minutes,
        "scale": scale,
        "values": [1] * count if values is None else values,
        "quality_runs": runs or f"1-{count}:A",
        "uom": "KWH",
        "file": "reads.csv",
        "updated": "2026-10-05T02:00:00",
    }
    return encode_day(DayReads(**(fields | changes)))


class TestEncoding:
    def test_an_item_by_hand(self):
        values = [0, 1, 255, 256, 4_294_967_295] + [0] * 43
        encoded = item(values, run_date=date(2026, 11, 1), origin="BUA")
        packed = encoded.pop("val")["B"]
        assert packed[:20].hex(" ", 4) == "00000000 01000000 ff000000 00010000 ffffffff"
        assert len(packed) == 192
        assert encoded == {
            "pk": {"S": "NEM|DATA|NMI|2001985732|ACT"},
            "sk": {"S": "2026-10-04|E1"},
            "len": {"N": "30"},
            "scale": {"N": "3"},
            "q": {"S": "1-48:A"},
            "uom": {"S": "KWH"},
            "file": {"S": "reads.csv"},
            "upd": {"S": "2026-10-05T02:00:00"},
            "run_date": {"S": "2026-11-01"},
            "origin": {"S": "BUA"},
        }

    @pytest.mark.parametrize(
        ("runs", "partition"),
        [
            ("1-48:A", "ACT"),
            ("1-48:E57", "EST"),
            ("1-48:N", "EST"),
            ("1-20:N,21-48:E57", "EST"),
            ("1-47:E57,48-48:F55", "ACT"),
            ("1-1:S14,2-48:N", "ACT"),
        ],
    )
    def test_a_day_is_actual_when_any_of_it_is_better_than_an_estimate(self, runs, partition):
        assert item(runs=runs)["pk"]["S"] == f"NEM|DATA|NMI|{NMI}|{partition}"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"values": [1] * 47}, "47 values where 30 minutes need 48"),
            ({"minutes": 10}, "only 5, 15 and 30"),
            ({"scale": 7}, "7 decimals"),
            ({"values": [2**32] + [0] * 47}, "too large for 32 bits"),
            ({"values": [-1] + [0] * 47}, "negative"),
            ({"runs": "1-47:A"}, "cover 47 of 48"),
            ({"runs": "1-20:A,22-48:A"}, "leaves a gap"),
            ({"runs": "1-20:A,20-48:A"}, "overlaps"),
            ({"runs": "1-49:A"}, "outside 1 to 48"),
            ({"runs": "1-48:V"}, "not a quality run"),
            ({"runs": "1-48:"}, "not a quality run"),
        ],
    )
    def test_a_wrong_day_is_refused_by_name(self, changes, reason):
        with pytest.raises(InvalidInput, match=f"NMI {NMI} suffix E1 on 2026-10-04.*{reason}"):
            item(**changes)


class TestDecoding:
    def test_half_hours_of_all_interval_lengths(self):
        """Interval n of each day holds n: half-hours are n, (2n - 1) + 2n and the sum of six numbers."""
        days = decode_items(
            [
                item(range(1, 49), suffix="E3"),
                item(range(1, 97), minutes=15, suffix="E2"),
                item(range(1, 289), minutes=5, suffix="E1"),
            ]
        )
        assert days.suffixes == ["E1", "E2", "E3"]
        assert days.half_hours[0][:3].tolist() == [21, 57, 93]  # 1..6, 7..12, 13..18
        assert days.half_hours[1][:3].tolist() == [3, 7, 11]
        assert days.half_hours[2][:3].tolist() == [1, 2, 3]
        # 288 x 289 / 2, 96 x 97 / 2 and 48 x 49 / 2 Wh, in 10^-6 kWh
        assert days.totals.tolist() == [41_616_000, 4_656_000, 1_176_000]
        assert days.half_hours.dtype == np.int32
        assert days.excluded.tolist() == days.missing.tolist() == [0, 0, 0]

    def test_the_smallest_scale_that_loses_nothing(self):
        days = decode_items(
            [
                item([1500] * 48, suffix="B1"),
                item([0] * 48, suffix="B2"),
                item([2000] * 48, suffix="B3"),
                item([5] * 96, minutes=15, suffix="B4"),
            ]
        )
        assert days.scales.tolist() == [1, 0, 0, 2]  # 1.5, 0, 2 and 0.005 + 0.005 = 0.01 kWh
        assert days.half_hours[:, 0].tolist() == [15, 0, 2, 1]
        assert days.totals.tolist() == [72_000_000, 0, 96_000_000, 480_000]

    def test_a_half_hour_takes_the_worst_quality_of_its_parts(self):
        runs = "1-1:A,2-2:F14,3-3:F14,4-4:S14,5-5:S14,6-6:E52,7-7:E52,8-8:N,9-96:A"
        days = decode_items([item([10] * 96, runs, minutes=15)])
        assert days.qualities == ["FSEN" + "A" * 44]
        assert days.excluded.tolist() == [0b1100]
        assert days.missing.tolist() == [0b1000]
        # The known quarter of a missing half-hour is estimated with the rest of it: 47 half-hours of 20 Wh remain.
        assert days.half_hours[0].tolist() == [2, 2, 2, 0] + [2] * 44
        assert days.totals.tolist() == [940_000]

    def test_the_last_half_hour_has_bit_47(self):
        days = decode_items([item(runs="1-47:A,48-48:E57")])
        assert days.excluded.tolist() == [1 << 47]

    def test_the_newest_update_wins_between_actual_and_estimated(self):
        old_estimate = item([7] * 48, "1-48:E57", updated="2026-10-05T02:00:00")
        actual = item([8] * 48, updated="2026-10-09T02:00:00")
        late_estimate = item([9] * 48, "1-48:E57", updated="2026-10-20T02:00:00")
        assert decode_items([old_estimate, actual]).half_hours[0, 0] == 8
        assert decode_items([late_estimate, actual]).half_hours[0, 0] == 9
        same_time = item([7] * 48, "1-48:E57", updated="2026-10-09T02:00:00")
        assert decode_items([actual, same_time]).qualities == decode_items([same_time, actual]).qualities == ["A" * 48]

    def test_what_a_run_made_is_not_read_but_on_demand(self):
        known = item([8] * 48)
        made = item([9] * 48, "1-48:E57", updated="2026-11-01T00:00:00", run_date=date(2026, 11, 1), origin="BUA")
        other = item([7] * 48, "1-48:E57", suffix="E2", run_date=date(2026, 12, 1), origin="BUA")
        days = decode_items([known, made, other])
        assert (days.suffixes, days.half_hours[0, 0], days.items_read) == (["E1"], 8, 1)
        assert days.newest_update == "2026-10-05T02:00:00"
        run = decode_run_items([known, made, other], date(2026, 11, 1))
        assert (run.suffixes, run.half_hours[0, 0]) == (["E1"], 9)

    def test_reactive_energy_is_no_energy(self):
        days = decode_items([item(), item(suffix="Q1", uom="KVARH")])
        assert (days.suffixes, days.items_read) == (["E1"], 1)

    def test_nothing_decodes_to_nothing(self):
        days = decode_items([])
        assert len(days) == 0
        assert days.half_hours.shape == (0, 48)
        assert days.newest_update is None

    def test_a_day_beyond_32_bits_has_fewer_decimals(self):
        """4,294.967291 and 0.000004 kWh: to five decimals, so that their sum is right."""
        days = decode_items([item([4_294_967_291, 4] + [0] * 46, scale=6)])
        assert days.scales[0] == 5
        assert days.half_hours[0, :3].tolist() == [429_496_729, 1, 0]
        assert days.totals[0] == 4_294_967_300

    def test_what_no_scale_holds_is_cut_off(self):
        values = [4_294_967_295] * 6 + [0] * 282  # six fives of minutes of 2^32 - 1 kWh
        days = decode_items([item(values, minutes=5, scale=0)])
        assert days.half_hours[0, :2].tolist() == [2**31 - 1, 0]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"val": {"B": b"\0" * 188}}, "188 bytes of values where 30 minutes need 192"),
            ({"len": {"N": "60"}}, "intervals of 60 minutes"),
            ({"scale": {"N": "9"}}, "scale 9 is not 0 to 6"),
            ({"q": {"S": "1-47:A"}}, "cover 47 of 48"),
        ],
    )
    def test_an_item_that_makes_no_sense_is_refused_by_name(self, changes, reason):
        with pytest.raises(InvalidInput, match=f"NMI {NMI} suffix E1 on 2026-10-04: .*{reason}"):
            decode_items([item() | changes])


@given(data=st.data(), minutes=st.sampled_from([5, 15, 30]), scale=st.integers(0, 6))
def test_daily_totals_are_exact(data, minutes, scale):
    """Whatever the length and scale: 48 half-hours add up to the intervals' decimal sum, to the last digit."""
    count = 1440 // minutes
    largest = 2**31 // (30 // minutes) - 1
    values = data.draw(st.lists(st.integers(0, largest), min_size=count, max_size=count))
    days = decode_items([item(values, minutes=minutes, scale=scale)])
    total = sum(Decimal(value).scaleb(-scale) for value in values)
    assert Decimal(int(days.totals[0])).scaleb(-6) == total
    assert Decimal(int(days.half_hours[0].sum(dtype=np.int64))).scaleb(-int(days.scales[0])) == total
    assert days.scales[0] == 0 or any(days.half_hours[0] % 10)


@given(st.lists(st.sampled_from("AFSEN"), min_size=288, max_size=288))
def test_bits_agree_with_letters(letters):
    runs = ",".join(f"{n}-{n}:{letter}" for n, letter in enumerate(letters, start=1))
    days = decode_items([item([1] * 288, runs, minutes=5)])
    halves = days.qualities[0]
    assert len(halves) == 48
    for half_hour in range(48):
        parts = letters[half_hour * 6 : half_hour * 6 + 6]
        assert halves[half_hour] == next(letter for letter in "NESFA" if letter in parts)
        assert bool(int(days.excluded[0]) >> half_hour & 1) == (halves[half_hour] in "EN")
        assert bool(int(days.missing[0]) >> half_hour & 1) == (halves[half_hour] == "N")
        assert days.half_hours[0, half_hour] == (0 if "N" in parts else 6)


@pytest.fixture
def table():
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-southeast-2")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


class TestReading:
    def test_first_and_last_day_are_included_and_other_sites_are_not(self, table):
        for offset in range(5):
            table.put_item(TableName=TABLE, Item=item(day=DAY + timedelta(offset)))
        table.put_item(TableName=TABLE, Item=item(day=DAY + timedelta(3), suffix="B1", runs="1-48:E57"))
        table.put_item(TableName=TABLE, Item=item(nmi="7102000001"))
        days = read_site(table, TABLE, NMI, date(2026, 10, 5), date(2026, 10, 7))
        assert days.suffixes == ["B1", "E1", "E1", "E1"]
        assert days.days.astype(str).tolist() == ["2026-10-07", "2026-10-05", "2026-10-06", "2026-10-07"]
        assert days.nmis == [NMI] * 4

    def test_all_pages_are_read(self, table):
        """A page ends at a megabyte: five items with a file name of 300,000 characters need two."""
        for offset in range(5):
            table.put_item(TableName=TABLE, Item=item(day=DAY + timedelta(offset), file="x" * 300_000))
        answer = table.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"NEM|DATA|NMI|{NMI}|ACT"}},
        )
        assert "LastEvaluatedKey" in answer
        assert len(query_items(table, TABLE, NMI, DAY, DAY + timedelta(4))) == 5

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"val": None}, "KeyError"),
            ({"upd": None}, "KeyError"),
            ({"val": {"S": "12.5"}}, "KeyError"),
            ({"scale": {"N": "1.5"}}, "ValueError"),
            ({"sk": {"S": "2026-10-44|E1"}}, "ValueError"),
            ({"len": {"N": "0"}}, "intervals of 0 minutes"),
        ],
    )
    def test_whatever_is_wrong_with_an_item_is_an_error_of_its_site(self, table, changes, reason):
        """Any other error would take the whole message along, and with it 249 sites more."""
        wrong = {key: value for key, value in (item() | changes).items() if value is not None}
        table.put_item(TableName=TABLE, Item=wrong)
        with pytest.raises(InvalidInput, match=f"NMI {NMI}.*{reason}"):
            read_site(table, TABLE, NMI, DAY, date(2026, 10, 31))


class Paged:
    """DynamoDB's paginator: three pages, of what they cost."""

    def __init__(self, units: list[float]) -> None:
        self.units = units
        self.asked: list[str] = []

    def get_paginator(self, _operation: str) -> "Paged":
        return self

    def paginate(self, **given: Any) -> list[dict[str, Any]]:
        self.asked.append(given["ReturnConsumedCapacity"])
        units, self.units = self.units, []
        return [{"Items": [], "ConsumedCapacity": {"CapacityUnits": cost}} for cost in units]


def test_a_reader_keeps_to_its_share_of_the_tables_capacity():
    """At 100 units a second: 128 units take 1.28 s, of which none has passed; 64 more 1.92 s, of which 1.7 have passed."""
    now, slept = [10.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds + 0.42  # the next page takes its time

    client: Any = Paged([128.0, 64.0, 0.5])
    query_items(client, TABLE, NMI, DAY, DAY, pace=Pace(100, clock=lambda: now[0], sleep=sleep))
    assert slept == [1.28, 0.22]  # the last one: 192.5 units are due after 1.925 s, and 2.34 s have passed
    assert client.asked == ["TOTAL", "TOTAL"]


def test_without_a_rate_nobody_waits():
    pace = Pace(0, sleep=lambda _seconds: pytest.fail("it waited"))
    for _ in range(3):
        pace.spend(1e9)
