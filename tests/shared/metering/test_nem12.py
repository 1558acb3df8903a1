"""The meter data file writer, read back by the two peer libraries."""

import io
import logging
import warnings
from datetime import date, datetime
from decimal import Decimal

import aemo_mdff_reader
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nemreader import NEMFile

from shared.errors import InvalidInput
from shared.metering.nem12 import EstimatedDay, write_nem12

RUN_DATE = date(2026, 11, 1)


def day(number=1, suffix="E1", qualities="E" * 48, values=None, **changes):
    fields = {
        "nmi": "2001985732",
        "suffix": suffix,
        "meter_serial": "M1",
        "register_id": suffix,
        "day": date(2026, 10, number),
        "half_hours": values or [Decimal("0.250")] * 48,
        "qualities": qualities,
    }
    return EstimatedDay(**(fields | changes))


def read_with_nemreader(content, path, caplog):
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        data = NEMFile(str(path), strict=True).nem_data()
    assert caplog.records == []
    return data


def test_the_bytes_of_a_small_file():
    """One whole estimated day, and one whose first two half-hours were known; every field checked by hand."""
    known = day(2, qualities="AS" + "E" * 46, values=[Decimal(1), Decimal("0.5")] + [Decimal("0.001")] * 46)
    estimated = day(1, suffix="B1", values=[Decimal("12.345")] * 48)
    lines = write_nem12([known, estimated], RUN_DATE).decode().split("\r\n")
    assert lines == [
        "100,NEM12,202611010000,BUA,RETAILER",
        "200,2001985732,B1E1,B1,B1,,M1,KWH,30,",
        "300,20261001," + "12.345," * 48 + "E57,,,20261101000000,",
        "200,2001985732,B1E1,E1,E1,,M1,KWH,30,",
        "300,20261002,1.000,0.500," + "0.001," * 46 + "V,,,20261101000000,",
        "400,1,1,A,,",
        "400,2,2,S55,0,Substituted before the accrual",
        "400,3,48,E57,,",
        "900",
        "",
    ]


def test_both_peers_read_it_without_a_warning(tmp_path, caplog):
    days = [
        day(1),
        day(2, qualities="A" * 20 + "E" * 28),
        day(3, qualities="AFSE" * 12),
        day(1, suffix="E2", values=[Decimal(n) / 1000 for n in range(48)]),
        day(2, suffix="B1", meter_serial="M2"),
    ]
    content = write_nem12(days, RUN_DATE)
    data = read_with_nemreader(content, tmp_path / "x.csv", caplog)
    assert data.header.creation_date == datetime(2026, 11, 1)  # noqa: DTZ001 - market time has no zone in the file
    readings = data.readings["2001985732"]
    assert {suffix: len(reads) for suffix, reads in readings.items()} == {"B1": 48, "E1": 144, "E2": 48}
    assert sum(read.read_value for read in readings["E2"]) == pytest.approx(1.128)  # 0 + 1 + ... + 47 Wh
    second = readings["E1"][48:96]
    assert [read.quality_method for read in second] == ["A"] * 20 + ["E57"] * 28

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = content.decode()
        assert aemo_mdff_reader.validate_file(io.StringIO(text, newline="")) == []
        values = [reading.value for reading in aemo_mdff_reader.parse(io.StringIO(text, newline=""))]
        events = list(aemo_mdff_reader.parse_events(io.StringIO(text, newline="")))
    assert len(values) == 240
    assert sum(values) == pytest.approx(4 * 12 + 1.128)
    assert [(event.start_interval, event.end_interval, event.quality_method) for event in events[:2]] == [
        (1, 20, "A"),
        (21, 48, "E57"),
    ]


def test_the_order_of_the_input_does_not_matter():
    days = [day(1), day(2), day(1, suffix="B1"), day(3, meter_serial="M0")]
    assert write_nem12(days, RUN_DATE) == write_nem12(reversed(days), RUN_DATE)


@given(st.text("AFSE", min_size=48, max_size=48))
def test_400_records_cover_the_day_without_gap_or_overlap(qualities):
    lines = write_nem12([day(qualities=qualities)], RUN_DATE).decode().split("\r\n")
    events = [line.split(",") for line in lines if line.startswith("400,")]
    if not events:
        assert len(set(qualities)) == 1
        return
    covered = "".join(fields[3][0] * (int(fields[2]) - int(fields[1]) + 1) for fields in events)
    assert covered == qualities
    assert [int(fields[1]) for fields in events[1:]] == [int(fields[2]) + 1 for fields in events[:-1]]


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ([], "at least one day"),
        ([day(), day()], "twice"),
        ([day(), day(2, nmi="7102000001")], "a file has only one NMI"),
        ([day(qualities="E" * 47)], "not 48"),
        ([day(qualities="N" * 48)], "not all of"),
        ([day(values=[Decimal("-0.001")] * 48)], "not a quantity"),
        ([day(values=[Decimal("0.0001")] * 48)], "not a quantity"),
        ([day(values=[Decimal("NaN")] * 48)], "not a quantity"),
        ([day(meter_serial="M,1")], "cannot be written"),
    ],
)
def test_what_a_strict_reader_would_refuse_is_not_written(days, reason):
    with pytest.raises(InvalidInput, match=reason):
        write_nem12(days, RUN_DATE)
