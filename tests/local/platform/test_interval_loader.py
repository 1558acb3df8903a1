"""From files to items: units, scales, old interval lengths, the newest of several files, batched writes."""

from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from local.platform.interval_loader import delete_keys, to_items, write_items
from local.platform.nem12_reader import read_bytes, read_path
from shared.errors import InvalidInput
from shared.metering.interval_store import decode_items

OWN = Path(__file__).parents[2] / "data" / "nem12"
TABLE = "tst-anstead-ddb-interval"


def file_of(values, *, updated="20261004020000", name="reads.csv", unit="kWh", nmi="2001985732"):
    records = [
        "100,NEM12,202610060200,MDP1,RETAILER",
        f"200,{nmi},E1,1,E1,N1,M1,{unit},30,",
        f"300,20261003,{','.join(values)},A,,,{updated},",
        "900",
    ]
    return read_bytes(name, "\n".join(records).encode())[0]


class TestUnits:
    def test_everything_is_stored_in_kwh(self):
        """5 minutes of n Wh: 41,616 Wh a day; 15 minutes of 0.0015 MWh: 144 kWh; VARh are stored, but never as kWh."""
        items = to_items(read_path(OWN / "interval_lengths.csv"))
        assert [item["uom"]["S"] for item in items] == ["KWH", "KWH", "KVARH"]
        days = decode_items(items)
        assert days.suffixes == ["E1", "E2"]
        assert days.totals.tolist() == [41_616_000, 144_000_000]

    def test_whole_megawatt_hours(self):
        assert decode_items(to_items([file_of(["2"] * 48, unit="MWh")])).totals.tolist() == [96_000_000_000]

    def test_ten_minutes_become_half_hours_of_their_worst_quality(self):
        days = decode_items(to_items(read_path(OWN / "old_sample.csv")))
        assert days.qualities == ["E" * 48, "N" * 48, "AN" + "A" * 46]
        # 48 x (0.95 + 1.05 + 1.05); nothing; 47 x 6, without the half-hour of which two parts are empty
        assert days.totals.tolist() == [146_400_000, 0, 282_000_000]

    def test_nine_decimals_of_a_watt_hour_are_more_than_the_store_keeps(self):
        fine = file_of(["0.001000000"] * 48, unit="Wh")
        assert to_items([fine])[0]["scale"] == {"N": "6"}
        with pytest.raises(InvalidInput, match="NMI 2001985732 suffix E1 on 2026-10-03: 7 decimals"):
            to_items([file_of(["0.0001"] * 48, unit="Wh")])

    def test_decimals_that_are_zeros_make_room(self):
        """5,000,000.000 kWh is beyond 32 bits in watt-hours, and within in kWh."""
        assert decode_items(to_items([file_of(["5000000.000"] * 48)])).totals.tolist() == [240_000_000 * 10**6]


class TestSeveralFiles:
    def test_the_newest_update_is_taken_in_any_order(self):
        old, new = file_of(["1"] * 48), file_of(["2"] * 48, updated="20261005020000", name="new.csv")
        for files in ([old, new], [new, old]):
            (item,) = to_items(files)
            assert (item["file"]["S"], item["upd"]["S"]) == ("new.csv", "2026-10-05T02:00:00")

    def test_the_same_reads_twice_are_no_contradiction(self):
        assert len(to_items([file_of(["1"] * 48), file_of(["1.000"] * 48, name="again.csv")])) == 1

    def test_other_reads_with_the_same_update_time_are_refused(self):
        files = [file_of(["1"] * 48, name="a.csv"), file_of(["2"] * 48, name="b.csv")]
        with pytest.raises(InvalidInput, match=r"b\.csv:3: .*other reads in a\.csv:3, with the same update time"):
            to_items(files)


class Throttled:
    """A table that takes ten items a request and hands the rest back."""

    def __init__(self):
        self.requests = []

    def batch_write_item(self, RequestItems):  # noqa: N803 - boto3's name
        self.requests.append(len(RequestItems[TABLE]))
        rest = RequestItems[TABLE][10:]
        return {"UnprocessedItems": {TABLE: rest} if rest else {}}


class TestWriting:
    def test_what_the_table_does_not_take_is_offered_again(self):
        client = Throttled()
        assert write_items(client, TABLE, [{"n": {"N": str(n)}} for n in range(30)], workers=1) == 30
        assert client.requests == [25, 15, 5, 5]

    def test_items_arrive_and_go(self):
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
            items = to_items([file_of(["1"] * 48, nmi=f"20019857{n:02d}") for n in range(60)])
            assert write_items(client, TABLE, items) == 60
            stored = client.scan(TableName=TABLE)["Items"]
            assert decode_items(stored).totals.sum() == 60 * 48_000_000
            delete_keys(client, TABLE, [(item["pk"]["S"], item["sk"]["S"]) for item in items[:59]])
            assert client.scan(TableName=TABLE, Select="COUNT")["Count"] == 1


def test_totals_of_own_files_survive_the_way_through_the_store():
    (file,) = read_path(OWN / "varying_quality.csv")
    days = decode_items(to_items([file]))
    assert Decimal(int(days.totals.sum())).scaleb(-6) == sum(file.totals().values())
    assert days.qualities[2] == "A" * 20 + "S" * 20 + "E" * 8
