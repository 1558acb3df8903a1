"""The meter data file reader: against nemreader, by hand, and against everything that has to be refused."""

import gzip
import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import permutations
from math import fsum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nemreader import NEMFile

from local.platform.nem12_reader import read_bytes, read_path
from shared.errors import InvalidInput

ROOT = Path(__file__).parents[3]
OWN = ROOT / "tests" / "data" / "nem12"
SAMPLES = ROOT.parent / "shared" / "data" / "nem12"  # of the market's participants; not part of this repository

samples_needed = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO SAMPLE FILES in {SAMPLES}: not compared with them"
)

HEADER = "100,NEM12,202610060200,MDP1,RETAILER"
DETAILS = "200,2001985732,E1,1,E1,N1,M1,kWh,30,"
END = "900"


def samples(folder):
    return [pytest.param(path, id=path.name) for path in sorted((SAMPLES / folder).glob("*"))]


def interval(day="20261003", values="0.250," * 48, tail="A,,,20261004020000,"):
    return f"300,{day},{values}{tail}"


EVENTS = ("400,1,20,A,,", "400,21,48,E57,,")
VARYING = interval(tail="V,,,20261004020000")
BASIC = "250,2001985732,11,01,11,11,M1,E,21,20260701000000,A,,,534,20261001000000,{},,,513,kWh,,20261002010203,"


def parse(*records):
    (file,) = read_bytes("reads.csv", "\r\n".join(records).encode())
    return file


def totals_of_nemreader(path):
    readings = NEMFile(str(path)).nem_data().readings
    return {
        (nmi, suffix): fsum(r.read_value or 0 for r in reads)
        for nmi in readings
        for suffix, reads in readings[nmi].items()
        if reads[0].uom.upper() in ("WH", "KWH", "MWH")
    }


class TestAgainstNemreader:
    @samples_needed
    @pytest.mark.parametrize("path", samples("valid"))
    def test_samples_have_the_same_totals(self, path):
        (file,) = read_path(path)
        assert {key: float(total) for key, total in file.totals().items()} == pytest.approx(totals_of_nemreader(path))

    @samples_needed
    def test_all_samples_are_there(self):
        assert (len(samples("valid")), len(samples("invalid"))) == (32, 11)

    @samples_needed
    @pytest.mark.parametrize("path", samples("invalid"))
    def test_invalid_samples_are_refused(self, path):
        with pytest.raises(InvalidInput, match=r":\d+: .{10}"):
            read_path(path)

    @pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in sorted(OWN.glob("*.csv"))])
    def test_own_files_have_the_same_totals(self, path):
        (file,) = read_path(path)
        assert {key: float(total) for key, total in file.totals().items()} == pytest.approx(totals_of_nemreader(path))


class TestMeaning:
    def test_a_file_by_hand(self):
        (file,) = read_path(OWN / "varying_quality.csv")
        assert file.warnings == []
        assert file.created == datetime(2026, 10, 6, 2)  # noqa: DTZ001 - market time has no zone in these files
        first, second, third, solar = file.days
        assert (first.nmi, first.suffix, first.meter_serial, first.register_id) == ("2001985732", "E1", "M1", "1")
        assert (first.uom, first.day, first.interval_minutes) == ("KWH", date(2026, 10, 3), 30)
        assert (first.values[0], first.values[47], first.scale) == (1, 48, 3)
        assert first.total() == Decimal("1.176")
        assert second.quality_runs == ((1, 20, "A"), (21, 40, "S52"), (41, 48, "E57"))
        assert third.quality_runs == ((1, 48, "F14"),)
        assert (solar.suffix, solar.total()) == ("B1", Decimal(72))

    def test_what_old_samples_bend_is_taken_with_a_warning(self):
        (file,) = read_path(OWN / "old_sample.csv")
        assert [warning.partition("old_sample.csv:")[2] for warning in file.warnings] == [
            "2: intervals of 10 minutes are from old samples: summed to half-hours",
            "3: value(s) without a digit before the point",
            "3: quality E52 has no reason, '71' was given",
            "4: quality N is from old files: the intervals are missing",
            "5: 2 value(s) are empty, interval 4 first: missing, not 0",
        ]
        assert file.days[0].total() == 48 * Decimal("3.05")
        assert file.days[2].quality_runs == ((1, 3, "A"), (4, 5, "N"), (6, 144, "A"))

    def test_accumulations_keep_the_zeros_of_their_reads(self):
        (file,) = read_path(OWN / "accumulation.csv")
        general, controlled = file.accumulations
        assert (general.previous_read, general.current_read, general.quantity) == (
            "000021.2",
            "000534.5",
            Decimal("513.3"),
        )
        assert (controlled.suffix, controlled.register_id, controlled.quantity) == ("41", "02", Decimal(20))
        assert file.totals() == {("2001985732", "11"): Decimal("513.3"), ("2001985732", "41"): Decimal(20)}

    def test_the_checksum_of_an_nmi_is_verified_and_dropped(self):
        file = parse(HEADER, DETAILS.replace("2001985732", "20019857328"), interval(), END)
        assert file.days[0].nmi == "2001985732"

    def test_empty_values_of_a_varying_day_are_missing_inside_their_event(self):
        file = parse(
            HEADER, DETAILS, interval(values="1," * 9 + "," + "1," * 38, tail="V,,,20261004020000"), *EVENTS, END
        )
        assert file.days[0].quality_runs == ((1, 9, "A"), (10, 10, "N"), (11, 20, "A"), (21, 48, "E57"))

    def test_the_newer_update_of_a_day_is_taken_wherever_it_stands(self):
        newer = interval(values="2," * 48, tail="A,,,20261009020000")
        for records in ([interval(), newer], [newer, interval()]):
            file = parse(HEADER, DETAILS, *records, END)
            assert [day.total() for day in file.days] == [96]
            assert "the newer update is taken" in file.warnings[0]

    def test_a_byte_order_mark_and_lower_case_are_no_obstacle(self):
        (file,) = read_bytes(
            "x", ("\ufeff" + "\n".join([HEADER, DETAILS.lower(), interval(tail="a,,,20261004020000"), END])).encode()
        )
        assert (file.days[0].suffix, file.days[0].uom, file.days[0].quality_runs) == ("E1", "KWH", ((1, 48, "A"),))

    @given(st.lists(st.decimals(0, 9999, places=6), min_size=48, max_size=48))
    def test_decimals_are_exact(self, values):
        file = parse(HEADER, DETAILS, interval(values="".join(f"{value:f}," for value in values)), END)
        assert file.totals() == {("2001985732", "E1"): sum(values)}

    def test_an_index_that_was_corrected_downwards_has_a_negative_quantity(self):
        file = parse(HEADER.replace("NEM12", "NEM13"), BASIC.format("A").replace(",513,", ",-13,"), END)
        assert file.totals() == {("2001985732", "11"): Decimal(-13)}

    def test_what_is_not_energy_is_passed_over_and_said(self):
        """Whatever its values are: a power factor is negative, a temperature has words."""
        file = parse(
            HEADER, DETAILS, interval(), DETAILS.replace(",E1,N1", ",g1,N1").replace("kWh", "pf"), "300,x,-0.9", END
        )
        assert file.totals() == {("2001985732", "E1"): 12}
        assert file.remarks() == ["reads.csv:4: G1 of 2001985732 is in PF, which is not energy: passed over"]

    def test_a_file_without_energy_is_no_fault(self):
        assert parse(HEADER, DETAILS.replace("kWh", "kVArh"), interval(), END).days == []

    @pytest.mark.parametrize(
        ("unit", "value"), [("Wh", "250.000"), ("KWH", "0.25"), ("mwh", "0.00025"), ("MWH", "0.000250000")]
    )
    def test_energy_is_energy_in_any_unit_and_case(self, unit, value):
        day = parse(HEADER, DETAILS.replace("kWh", unit), interval(values=f"{value}," * 48), END).days[0]
        assert day.total().scaleb(-day.kwh_scale + day.scale) == 12
        assert day.same_reads(parse(HEADER, DETAILS, interval(), END).days[0])

    def test_zeros_of_a_database_are_no_decimals(self):
        assert parse(HEADER, DETAILS, interval(values="00.250000000000000000," * 48), END).days[0].total() == 12

    def test_blanks_around_fields_and_lower_case_are_no_obstacle(self):
        records = [HEADER, DETAILS, interval(), END]
        spaced = [" , \t".join(f"\u00a0{field}" for field in record.lower().split(",")) for record in records]
        assert parse(*spaced).days == [replace(day, meter_serial="m1") for day in parse(*records).days]

    def test_a_newer_version_settles_what_older_ones_contradict(self):
        newest = interval(values="3," * 48, tail="A,,,20261009020000")
        for older in permutations([interval(), interval(values="2," * 48), newest]):
            assert [day.total() for day in parse(HEADER, DETAILS, *older, END).days] == [144]


class TestContainers:
    content = (OWN / "varying_quality.csv").read_bytes()

    def test_gzip_and_zip_read_like_the_plain_file(self, tmp_path):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr("reads.csv", self.content)
        for name, content in (("a.csv.gz", gzip.compress(self.content)), ("a.zip", archive.getvalue())):
            (tmp_path / name).write_bytes(content)
            (file,) = read_path(tmp_path / name)
            assert file.days == read_bytes("a.csv", self.content)[0].days

    def test_a_zip_of_several_files(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr("folder/b.csv", self.content)
            members.writestr("a.csv", "")
        with pytest.raises(InvalidInput, match=r"two\.zip/a\.csv:1: the file is empty"):
            read_bytes("two.zip", archive.getvalue())

    @pytest.mark.parametrize(
        "content", [gzip.compress(content, mtime=0)[:-9], b"\x1f\x8bnonsense", b"PK\x03\x04nonsense"]
    )
    def test_a_broken_container_is_refused(self, content):
        with pytest.raises(InvalidInput, match="x: cannot be decompressed"):
            read_bytes("x", content)

    def test_an_empty_archive_is_refused(self):
        archive = io.BytesIO()
        zipfile.ZipFile(archive, "w").close()
        with pytest.raises(InvalidInput, match="the archive is empty"):
            read_bytes("x", archive.getvalue())


# What is wrong, the line that the message must name, a part of the reason
REFUSED = {
    "nothing": ([""], 1, "empty"),
    "no header": ([DETAILS, interval(), END], 1, "missing header"),
    "blank first line": (["", HEADER, DETAILS, interval(), END], 1, "missing header"),
    "unknown version": ([HEADER.replace("NEM12", "NEM21"), END], 1, "neither NEM12 nor NEM13"),
    "header cut off": (["100,NEM12,202610060200", END], 1, "cut off"),
    "header date": ([HEADER.replace("202610060200", "202613060200"), END], 1, "DateTime"),
    "second header": ([HEADER, HEADER, DETAILS, interval(), END], 2, "second 100"),
    "no end": ([HEADER, DETAILS, interval()], 3, "cut off"),
    "record after the end": ([HEADER, DETAILS, interval(), END, DETAILS], 5, "after the 900"),
    "end with fields": ([HEADER, DETAILS, interval(), "900,1"], 4, "fields behind"),
    "no data": ([HEADER, END], 2, "no data"),
    "stream without data": ([HEADER, DETAILS, END], 3, "no data"),
    "NEM13 record in NEM12": ([HEADER, DETAILS, interval(), BASIC.format("A"), END], 4, "does not belong"),
    "NEM12 record in NEM13": ([HEADER.replace("NEM12", "NEM13"), DETAILS, END], 2, "does not belong"),
    "unknown record": ([HEADER, "600,1", END], 2, "does not belong"),
    "words": ([HEADER, "hello", END], 2, "does not belong"),
    "unclosed quote": ([HEADER, DETAILS, '300,"20261003', END], 4, "CSV"),
    "300 without 200": ([HEADER, interval(), END], 2, "without a 200"),
    "400 without 300": ([HEADER, DETAILS, "400,1,48,A,,", END], 3, "without a 300"),
    "500 without 200": ([HEADER, "500,N,1,20261004103000,1", END], 2, "without a 200"),
    "details cut off": ([HEADER, "200,2001985732,E1,1,E1", END], 2, "cut off"),
    "details too long": ([HEADER, DETAILS + ",1", END], 2, "at most"),
    "NMI checksum": ([HEADER, DETAILS.replace("2001985732", "20019857321"), END], 2, "checksum"),
    "no NMI": ([HEADER, DETAILS.replace("2001985732", ""), END], 2, "NMI is empty"),
    "suffix": ([HEADER, "200,2001985732,E1,1,E,N1,M1,kWh,30,", END], 2, "suffix"),
    "unit": ([HEADER, DETAILS.replace("kWh", "therm"), END], 2, "unit of measure"),
    "interval length": ([HEADER, DETAILS.replace(",30,", ",60,"), END], 2, "IntervalLength"),
    "interval length in words": ([HEADER, DETAILS.replace(",30,", ",half,"), END], 2, "IntervalLength"),
    "scheduled read": ([HEADER, DETAILS + "20261399", interval(), END], 2, "NextScheduledReadDate"),
    "one value too few": ([HEADER, DETAILS, interval(values="1," * 47), END], 3, "value 'A' of interval 48"),
    "too few values": ([HEADER, DETAILS, interval(values="1," * 46), END], 3, "48 values of 30 minutes"),
    "too many values": ([HEADER, DETAILS, interval(values="1," * 96), END], 3, "48 values of 30 minutes"),
    "day cut off": ([HEADER, DETAILS, interval(tail="A"), END], 3, "48 values of 30 minutes"),
    "record too short": ([HEADER, DETAILS, "300", END], 3, "48 values of 30 minutes"),
    "day's date": ([HEADER, DETAILS, interval("20260229"), END], 3, "IntervalDate"),
    "update time": ([HEADER, DETAILS, interval(tail="A,,,20261004250000,"), END], 3, "UpdateDateTime"),
    "load time": ([HEADER, DETAILS, interval(tail="A,,,20261004020000,soon"), END], 3, "MSATSLoadDateTime"),
    "negative value": ([HEADER, DETAILS, interval(values="-1," + "1," * 47), END], 3, "interval 1 "),
    "exponent": ([HEADER, DETAILS, interval(values="1," * 47 + "1e3,"), END], 3, "interval 48 "),
    "a lone point": ([HEADER, DETAILS, interval(values="1," * 47 + ".,"), END], 3, "interval 48 "),
    "ten decimals": ([HEADER, DETAILS, interval(values="1," * 47 + "0.0000000001,"), END], 3, "decimals"),
    "5,000 digits": (
        [HEADER, DETAILS, interval(values="1," * 46 + "9" * 5000 + ",1,"), END],
        3,
        "interval 47 has more than 15",
    ),
    "digits of another script": ([HEADER, DETAILS, interval(values="\u0661," * 48), END], 3, "interval 1 "),
    "an underscore": ([HEADER, DETAILS, interval(values="1_0," * 48), END], 3, "interval 1 "),
    "seven decimals": (
        [HEADER, DETAILS, interval(values="1," * 47 + "0.1234567,"), END],
        3,
        "interval 48 has 7 decimals, 6 of KWH",
    ),
    "interval length and U+001F": ([HEADER, DETAILS.replace(",30,", ",30\x1f,"), END], 2, "IntervalLength '30\\x1f'"),
    "interval length of another script": (
        [HEADER, DETAILS.replace(",30,", ",\u0663\u0660,"), END],
        2,
        "IntervalLength",
    ),
    "interval length of 5,000 digits": (
        [HEADER, DETAILS.replace(",30,", "," + "3" * 5000 + ","), END],
        2,
        "IntervalLength",
    ),
    "event and U+0085": ([HEADER, DETAILS, VARYING, "400,1\x85,48,A,,", END], 4, "not a span"),
    "event of 5,000 digits": ([HEADER, DETAILS, VARYING, "400,1," + "4" * 5000 + ",A,,", END], 4, "not a span"),
    "year 1": ([HEADER, DETAILS, interval("00010101"), END], 3, "outside 1970 to 2100"),
    "year 9999": ([HEADER, DETAILS, interval("99991231"), END], 3, "outside 1970 to 2100"),
    "day 0": ([HEADER, DETAILS, interval("00000000"), END], 3, "IntervalDate"),
    "a mark in the middle": ([HEADER, "\ufeff" + DETAILS, interval(), END], 2, "does not belong"),
    "quality": ([HEADER, DETAILS, interval(tail="X,,,20261004020000,"), END], 3, "quality 'X'"),
    "no quality": ([HEADER, DETAILS, interval(tail=",,,20261004020000,"), END], 3, "quality ''"),
    "reason": ([HEADER, DETAILS, interval(tail="S14,why,,20261004020000,"), END], 3, "reason code"),
    "V without events": ([HEADER, DETAILS, VARYING, END], 3, "without 400"),
    "V inside events": ([HEADER, DETAILS, VARYING, "400,1,48,V,,", END], 4, "quality V in a 400"),
    "gap in events": ([HEADER, DETAILS, VARYING, EVENTS[0], "400,22,48,E57,,", END], 5, "leaves a gap"),
    "late first event": ([HEADER, DETAILS, VARYING, EVENTS[1], END], 4, "leaves a gap"),
    "overlapping events": ([HEADER, DETAILS, VARYING, EVENTS[0], "400,20,48,E57,,", END], 5, "overlaps"),
    "events end early": ([HEADER, DETAILS, VARYING, EVENTS[0], END], 3, "end at interval 20 of 48"),
    "event beyond the day": ([HEADER, DETAILS, VARYING, "400,1,49,A,,", END], 4, "not a span"),
    "event backwards": ([HEADER, DETAILS, VARYING, "400,5,1,A,,", END], 4, "not a span"),
    "event in words": ([HEADER, DETAILS, VARYING, "400,one,48,A,,", END], 4, "not a span"),
    "event cut off": ([HEADER, DETAILS, VARYING, "400,1,48", END], 4, "cut off"),
    "ambiguous day": ([HEADER, DETAILS, interval(), interval(values="1," * 48), END], 4, "same update time"),
    "basic read cut off": ([HEADER.replace("NEM12", "NEM13"), "250,2001985732", END], 2, "cut off"),
    "a register read that is a tab": (
        [HEADER.replace("NEM12", "NEM13"), BASIC.format("A").replace(",E,21,", ",E,\t,"), END],
        2,
        "PreviousRegisterRead",
    ),
    "a register read below 0": (
        [HEADER.replace("NEM12", "NEM13"), BASIC.format("A").replace(",534,", ",-534,"), END],
        2,
        "CurrentRegisterRead",
    ),
    "a quantity of 5,000 digits": (
        [HEADER.replace("NEM12", "NEM13"), BASIC.format("A").replace(",513,", "," + "5" * 5000 + ","), END],
        2,
        "Quantity",
    ),
    "V in NEM13": ([HEADER.replace("NEM12", "NEM13"), BASIC.format("V"), END], 2, "quality V"),
}


@pytest.mark.parametrize(("records", "line", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_line_and_reason(records, line, reason):
    with pytest.raises(InvalidInput) as caught:
        parse(*records)
    assert str(caught.value).startswith(f"reads.csv:{line}: ")
    assert reason in str(caught.value)


def test_every_fault_of_a_file_is_named_but_none_that_follows_from_another():
    records = [
        HEADER,
        DETAILS.replace(",30,", ",60,"),  # 2: its days cannot be read either
        interval(),
        "400,1,48,A,,",
        DETAILS,
        interval(values="one," * 48),  # 6: its events neither
        "400,1,48,A,,",
        interval("20261304"),  # 8
        VARYING,
        "400,1,20,A,,",
        "400,22,48,A,,",  # 11
        VARYING.replace("20261003,", "20261005,"),  # 12: nothing says what varies
        interval("20261006"),
        "600,1",  # 14
        END,
        END,  # 16
    ]
    with pytest.raises(InvalidInput) as refused:
        parse(*records)
    assert [fault.line for fault in refused.value.faults] == [2, 6, 8, 11, 12, 14, 16]


def test_two_files_in_one_are_one_fault():
    with pytest.raises(InvalidInput) as refused:
        parse(*[HEADER, DETAILS, interval(), END] * 2)
    assert [fault.line for fault in refused.value.faults] == [5]


def test_a_file_of_nothing_but_faults_is_not_read_to_its_end():
    with pytest.raises(InvalidInput) as refused:
        parse(HEADER, *["600,1"] * 1000)
    assert len(refused.value.faults) == 20


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(InvalidInput, match="x:2: not UTF-8 text"):
        read_bytes("x", HEADER.encode() + b"\n200,\xff\xfe")


# What is odd, and a part of the warning; the file is read
ODD = {
    "blank line": ([HEADER, DETAILS, "", interval(), END], "3: blank line"),
    "no update time": ([HEADER, DETAILS, interval(tail="A,,,,"), END], "3: no UpdateDateTime"),
    "method of A": ([HEADER, DETAILS, interval(tail="A51,,,20261004020000"), END], "3: quality A has no method"),
    "E without method": (
        [HEADER, DETAILS, interval(tail="E,,,20261004020000"), END],
        "3: quality E without its method",
    ),
    "S without reason": (
        [HEADER, DETAILS, interval(tail="S14,,,20261004020000"), END],
        "3: quality S14 without a reason",
    ),
    "alarm": ([HEADER, DETAILS, interval(tail="A,79,,20261004020000"), END], "3: quality A with reason 79"),
    "same day twice": (
        [HEADER, DETAILS, interval(), interval(values="0.25," * 48), END],
        "4: NMI 2001985732 suffix E1",
    ),
    "empty stream": ([HEADER, DETAILS, DETAILS, interval(), END], "2: a 200 record without a 300"),
    "short NMI": ([HEADER, DETAILS.replace("2001985732", "NMI1"), interval(), END], "2: NMI 'NMI1' is shorter"),
    "header date of 8": ([HEADER.replace("202610060200", "20261006"), DETAILS, interval(), END], "1: DateTime"),
}


@pytest.mark.parametrize(("records", "warning"), ODD.values(), ids=ODD.keys())
def test_read_with_a_warning(records, warning):
    file = parse(*records)
    assert file.totals().popitem()[1] == 12
    assert len(file.warnings) == 1
    assert file.warnings[0].startswith(f"reads.csv:{warning}")
