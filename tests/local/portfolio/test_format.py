"""A spoilt portfolio is refused as a whole, and every message says where, what and what to do."""

from datetime import date
from decimal import Decimal

import pytest

from local.portfolio.format import read_portfolio
from local.portfolio.problems import InvalidPortfolio
from shared.errors import InvalidInput
from shared.period import choose

# file, what stands in it, what a test puts there, the problems that are reported
SPOILT = [
    (
        "accounts.csv",
        "A1,ELECTRICITY",
        "A1,Electric",
        [
            "accounts.csv:2: fuel: 'Electric' is not known, use one of ELECTRICITY, GAS",
        ],
    ),
    (
        "accounts.csv",
        "A2,ELECTRICITY,RES,NSW",
        "A2,ELECTRICITY,HOME,NT",
        [
            "accounts.csv:3: customer_class: 'HOME' is not known, use one of RES, BUS",
            "accounts.csv:3: jurisdiction: 'NT' is not known, use one of NSW, VIC, QLD, SA, ACT, TAS, WA",
        ],
    ),
    (
        "accounts.csv",
        "QAAAVZZZZZ3",
        "QAAAVZZZZZ4",
        [
            "accounts.csv:4: site_id: NMI QAAAVZZZZZ has checksum 3, not 4; correct it, or leave the 11th character out",
        ],
    ),
    (
        "accounts.csv",
        "QAAAVZZZZZ3",
        "QAAAVZZZZ",
        [
            "accounts.csv:4: site_id: 'QAAAVZZZZ' is not an NMI: give 10 digits or capital letters (not O or I), and optionally the checksum; correct it, or leave the 11th character out",
        ],
    ),
    (
        "accounts.csv",
        "2025-01-01,,61,",
        "2025-02-29,,61,",
        [
            "accounts.csv:5: open_date: 2025-02-29 is not in the calendar (day is out of range for month)",
        ],
    ),
    (
        "accounts.csv",
        "2025-01-01,,61,",
        "1.1.2025,,61,",
        [
            "accounts.csv:5: open_date: '1.1.2025' is no date, write it as YYYY-MM-DD",
        ],
    ),
    (
        "accounts.csv",
        "2025-01-01,,61,",
        "2025-01-01,9999-12-31,61,",
        [
            "accounts.csv:5: close_date: 9999-12-31 is outside 1970 to 2100, leave an open end blank",
        ],
    ),
    (
        "accounts.csv",
        ",,61,",
        ",,two months,",
        [
            "accounts.csv:5: billing_days: 'two months' is no whole number from 1 to 400",
        ],
    ),
    (
        "accounts.csv",
        ",,61,",
        ",,0,",
        [
            "accounts.csv:5: billing_days: '0' is no whole number from 1 to 400",
        ],
    ),
    (
        "accounts.csv",
        "G1,GAS,BUS,VIC,SME",
        "G1,GAS,BUS,VIC,",
        [
            "accounts.csv:5: journal_segment: is blank, fill it in",
        ],
    ),
    (
        "accounts.csv",
        "G1,GAS,BUS,VIC,SME",
        "G1,GAS,BUS,SME",
        [
            "accounts.csv:5: row: has 11 fields where the header has 12",
        ],
    ),
    (
        "plans.csv",
        "0.04",
        "4 c",
        [
            "plans.csv:12: rate: '4 c' is no plain decimal number, write it like 1234.567",
        ],
    ),
    (
        "plans.csv",
        "10,12,0.85",
        "10,112,85",
        [
            "plans.csv:3: discount_percent: 112 is above 100",
            "plans.csv:3: discount_propensity: 85 is above 1",
        ],
    ),
    (
        "plans.csv",
        "10,12,0.85",
        "-1,12,0.85",
        [
            "plans.csv:3: block_limit_per_day: -1 is below 0",
        ],
    ),
    (
        "time_classes.csv",
        "14:00,20:30",
        "14:15,20:30",
        [
            "time_classes.csv:2: start_time: 14:15 is not on a half-hour, round it to :00 or :30",
        ],
    ),
    (
        "time_classes.csv",
        "14:00,20:30",
        "2pm,20:30",
        [
            "time_classes.csv:2: start_time: '2pm' is no clock time, write it as HH:MM (up to 24:00)",
        ],
    ),
    (
        "invoices.csv",
        "2026-09-01,true",
        "2026-09-01,yes",
        [
            "invoices.csv:4: estimated: 'yes' is neither true nor false",
        ],
    ),
    (
        "invoice_lines.csv",
        "45,8.10",
        "-45,8.10",
        [
            "invoice_lines.csv:5: quantity: -45 is below 0",
        ],
    ),
    (
        "basic_reads.csv",
        "9990,39.5,A",
        "9990,39.5,V",
        [
            "basic_reads.csv:7: quality: 'V' is not known, use one of A, E, S, F",
        ],
    ),
    (
        "basic_reads.csv",
        "9990,39.5,A",
        "9.99e3,39.5,A",
        [
            "basic_reads.csv:7: index_value: '9.99e3' is no plain decimal number, write it like 1234.567",
        ],
    ),
    (
        "plans.csv",
        "0.35,,,",
        "0.35,20,,",
        [
            "plans.csv:4: block_limit_per_day: the last block takes the remainder, leave it blank or add the block above it",
        ],
    ),
    (
        "plans.csv",
        "0.30,10,12",
        "0.30,,12",
        [
            "plans.csv:3: block_limit_per_day: is blank, but line 4 prices the same days; only the last block takes the remainder",
        ],
    ),
    (
        "plans.csv",
        "2025-01-01,2026-06-30,0.35",
        "2025-01-01,2026-05-31,0.35",
        [
            "plans.csv:4: to_date: differs from the other block of this validity, line 3",
        ],
    ),
    (
        "plans.csv",
        "ANYTIME,2026-07-01,,0.40",
        "ANYTIME,2026-06-01,,0.40",
        [
            "plans.csv:5: from_date: overlaps the price of line 3, end the earlier one the day before the later one begins",
        ],
    ),
    (
        "plans.csv",
        "ANYTIME,2026-07-01,,0.40",
        "ANYTIME,2026-07-03,,0.40",
        [
            "plans.csv:5: from_date: no price from 2026-07-01 to 2026-07-02, close the gap",
        ],
    ),
    (
        "plans.csv",
        "GAS,DAILY,ANYTIME,2025-01-01,",
        "GAS,DAILY,PEAK,2025-01-01,",
        [
            "plans.csv:11: time_class: DAILY is charged per day, use ANYTIME",
        ],
    ),
    (
        "plans.csv",
        "0.80,,,",
        "0.80,5,,",
        [
            "plans.csv:11: block_limit_per_day: DAILY has no blocks, leave it blank",
        ],
    ),
    (
        "plans.csv",
        "FEED_IN,ANYTIME,2025-01-01,,0.05,,,",
        "FEED_IN,ANYTIME,2025-01-01,,0.05,,10,",
        [
            "plans.csv:10: discount_percent: FEED_IN is a credit and has no discount, leave it blank",
        ],
    ),
    (
        "plans.csv",
        "GAS,USAGE,ANYTIME,2025-01-01,,",
        "GAS,USAGE,ANYTIME,2025-01-01,2024-01-01,",
        [
            "accounts.csv:5: plan_code: plan GAS has no USAGE price for register 01 of site 5240000001 on the unbilled days 2025-11-01 to 2026-10-31 (priced: 2025-01-01 to 2024-01-01), add it",
            "plans.csv:12: to_date: 2024-01-01 is before from_date 2025-01-01",
        ],
    ),
    (
        "plans.csv",
        "0.30,10,12",
        "0.30,0,12",
        [
            "plans.csv:3: block_limit_per_day: 0 holds nothing, remove the row or leave it blank",
        ],
    ),
    (
        "time_classes.csv",
        "OFFPEAK,WEEKDAY,00:00,14:00",
        "OFFPEAK,WEEKDAY,00:00,14:30",
        [
            "time_classes.csv:2: start_time: overlaps the window of line 3 on WEEKDAY days",
        ],
    ),
    (
        "time_classes.csv",
        "OFFPEAK,WEEKEND,00:00,24:00",
        "OFFPEAK,ALL,00:00,24:00",
        [
            "time_classes.csv:2: start_time: overlaps the window of line 5 on WEEKDAY days",
            "time_classes.csv:4: start_time: overlaps the window of line 5 on WEEKDAY days",
            "time_classes.csv:5: start_time: overlaps the window of line 3 on WEEKDAY days",
        ],
    ),
    (
        "time_classes.csv",
        "OFFPEAK,WEEKDAY,20:30,24:00",
        "OFFPEAK,WEEKDAY,20:30,06:00",
        [
            "plans.csv:8: time_class: USAGE of plan TOU has no price at 20:30 on WEEKDAY days from 2025-01-01 on, complete time_classes.csv or add ANYTIME",
            "time_classes.csv:4: end_time: is not after start_time; split a window that passes midnight in two",
        ],
    ),
    (
        "time_classes.csv",
        "OFFPEAK,WEEKEND,00:00,24:00",
        "OFFPEAK,WEEKEND,00:00,23:00",
        [
            "plans.csv:8: time_class: USAGE of plan TOU has no price at 23:00 on WEEKEND days from 2025-01-01 on, complete time_classes.csv or add ANYTIME",
        ],
    ),
    (
        "time_classes.csv",
        "TOU,PEAK",
        "TOO,PEAK",
        [
            "plans.csv:8: time_class: USAGE of plan TOU has no price at 14:00 on WEEKDAY days from 2025-01-01 on, complete time_classes.csv or add ANYTIME",
            "time_classes.csv:2: plan_code: 'TOO' is not in plans.csv",
        ],
    ),
    (
        "accounts.csv",
        "\nA2,",
        "\nA1,",
        [
            "accounts.csv:3: account_id: 'A1' stands on line 2 already",
            "invoices.csv:2: from_date: 2026-04-01 is before account A1 opened on 2026-07-01",
            "invoices.csv:3: account_id: 'A2' is not in accounts.csv",
            "invoices.csv:4: account_id: 'A2' is not in accounts.csv",
        ],
    ),
    (
        "accounts.csv",
        "TOU,2026-07-01",
        "TOO,2026-07-01",
        [
            "accounts.csv:3: plan_code: 'TOO' is not in plans.csv",
        ],
    ),
    (
        "accounts.csv",
        "TOU,2026-07-01",
        "TOU,2026-06-01",
        [
            "accounts.csv:3: open_date: account A2 overlaps account A1 (line 2) on site 4103000001, close one the day before the other opens",
        ],
    ),
    (
        "accounts.csv",
        "2025-01-01,2026-06-30",
        "2025-01-01,",
        [
            "accounts.csv:2: next_bill_date: is blank, an account that is open has a next bill",
            "accounts.csv:3: open_date: account A2 overlaps account A1 (line 2) on site 4103000001, close one the day before the other opens",
        ],
    ),
    (
        "accounts.csv",
        "NTNI,TOU",
        "NTNX,TOU",
        [
            "accounts.csv:3: node: 'NTNX', but line 2 has 'NTNI' for the same site",
        ],
    ),
    (
        "accounts.csv",
        "2025-01-01,2026-06-30",
        "2025-01-01,2024-06-30",
        [
            "accounts.csv:2: close_date: 2024-06-30 is before open_date 2025-01-01",
            "invoices.csv:2: to_date: 2026-06-30 is after account A1 closed on 2024-06-30",
        ],
    ),
    (
        "accounts.csv",
        "5240000001",
        "4240000001",
        [
            "accounts.csv:5: site_id: 4240000001 is no MIRN, which begins with 5",
            "registers.csv:7: site_id: 5240000001 is on no account of accounts.csv",
        ],
    ),
    (
        "accounts.csv",
        "91,2026-11-20",
        "91,",
        [
            "accounts.csv:3: next_bill_date: is blank, an account that is open has a next bill",
        ],
    ),
    (
        "registers.csv",
        "5240000001,M4",
        "5240000002,M4",
        [
            "basic_reads.csv:7: register_id: register 01 of meter M4 at 5240000001 is not in registers.csv",
            "registers.csv:7: site_id: 5240000002 is on no account of accounts.csv",
        ],
    ),
    (
        "registers.csv",
        "BASIC,MJ",
        "BASIC,KWH",
        [
            "registers.csv:7: uom: 'KWH' on a gas site, which has MJ",
        ],
    ),
    (
        "registers.csv",
        "M3,01,11,PRIMARY,BASIC,KWH",
        "M3,01,11,PRIMARY,BASIC,MJ",
        [
            "registers.csv:5: uom: 'MJ' on an electricity site, use KWH, WH or MWH",
        ],
    ),
    (
        "registers.csv",
        "2025-01-01,2026-03-31",
        "2025-01-01,2026-04-01",
        [
            "registers.csv:3: suffix: 'E1' of site 4103000001 overlaps line 2, end the old one the day before the new one starts",
        ],
    ),
    (
        "registers.csv",
        "2025-01-01,2026-03-31",
        "2025-01-01,2024-03-31",
        [
            "registers.csv:2: end_date: 2024-03-31 is before start_date 2025-01-01",
        ],
    ),
    (
        "registers.csv",
        "B1,B1,SOLAR,INTERVAL,WH,,",
        "B1,B1,SOLAR,INTERVAL,WH,5,",
        [
            "registers.csv:4: digits: an INTERVAL register has no index, leave it blank",
        ],
    ),
    (
        "registers.csv",
        "M2,B1,B1,SOLAR",
        '"M,2",B\u00e91,B1,SOLAR',
        [
            "registers.csv:4: meter_serial: 'M,2' cannot be written, an INTERVAL register's goes into meter data files, use ASCII without commas and quotes",
            "registers.csv:4: register_id: 'B\u00e91' cannot be written, an INTERVAL register's goes into meter data files, use ASCII without commas and quotes",
        ],
    ),
    (
        "registers.csv",
        "M2,B1,B1,SOLAR",
        "M2,B1,e1,SOLAR",
        [
            "registers.csv:4: suffix: 'E1' of site 4103000001 overlaps line 3, end the old one the day before the new one starts",
        ],
    ),
    (
        "basic_reads.csv",
        "9990,39.5",
        "9990,1000001",
        [
            "basic_reads.csv:7: quantity_factor: 1000001 is above 1000000",
        ],
    ),
    (
        "basic_reads.csv",
        "M3,02,2026-09-15,180,1",
        "M3,02,2026-09-15,20000000000,1",
        [
            "basic_reads.csv:6: index_value: 20000000000 times 1 is more than 10000000000 kWh or MJ, correct one of them",
        ],
    ),
    (
        "plans.csv",
        "0.04",
        "999999999999999",
        [
            "plans.csv:12: rate: 999999999999999 is above 100000",
        ],
    ),
    (
        "accounts.csv",
        "G1,GAS",
        f"{'G' * 3000},GAS",
        [
            f"accounts.csv:5: account_id: '{'G' * 60}'... (3000 characters) is too long, 100 characters are allowed",
        ],
    ),
    (
        "registers.csv",
        "B1,B1,SOLAR",
        "Q1,Q1,SOLAR",
        [
            "registers.csv:4: suffix: 'Q1' is reactive and never billed as kWh, leave the register out",
        ],
    ),
    (
        "registers.csv",
        "B1,B1,SOLAR",
        "B1,99,SOLAR",
        [
            "registers.csv:4: suffix: '99' is no NMI suffix like E1 or B1",
        ],
    ),
    (
        "invoices.csv",
        "\nI3,",
        "\nI2,",
        [
            "invoices.csv:4: invoice_id: 'I2' stands on line 3 already",
        ],
    ),
    (
        "invoices.csv",
        "I4,B1",
        "I4,B9",
        [
            "invoices.csv:5: account_id: 'B9' is not in accounts.csv",
        ],
    ),
    (
        "invoices.csv",
        "2026-07-01,2026-08-20,2026-08-23,false,true",
        "2026-07-01,2026-08-20,2026-08-23,false,false",
        [
            "invoices.csv:4: from_date: invoice I3 bills days that invoice I2 (line 3) bills too, mark the one that was taken back as reversed",
        ],
    ),
    (
        "invoices.csv",
        "I1,A1,2026-04-01,2026-06-30",
        "I1,A1,2026-04-01,2026-07-01",
        [
            "invoices.csv:2: to_date: 2026-07-01 is after account A1 closed on 2026-06-30",
        ],
    ),
    (
        "invoices.csv",
        "I4,B1,2026-06-16",
        "I4,B1,2024-06-16",
        [
            "invoices.csv:5: from_date: 2024-06-16 is before account B1 opened on 2025-01-01",
        ],
    ),
    (
        "invoices.csv",
        "2026-06-16,2026-09-14,2026-09-17",
        "2026-06-16,2026-06-14,2026-09-17",
        [
            "invoices.csv:5: to_date: 2026-06-14 is before from_date 2026-06-16",
        ],
    ),
    (
        "invoices.csv",
        "2026-06-16,2026-09-14,2026-09-17",
        "2026-06-16,2026-09-14,2026-06-01",
        [
            "invoices.csv:5: issued_date: 2026-06-01 is before from_date 2026-06-16, bills are in arrears",
        ],
    ),
    (
        "invoice_lines.csv",
        "I4,CONTROL",
        "I9,CONTROL",
        [
            "invoice_lines.csv:5: invoice_id: 'I9' is not in invoices.csv",
        ],
    ),
    (
        "invoice_lines.csv",
        "I1,DAILY,,",
        "I1,DAILY,PRIMARY,",
        [
            "invoice_lines.csv:2: stream_type: 'PRIMARY' with item_type DAILY, which goes with blank",
        ],
    ),
    (
        "invoice_lines.csv",
        "FEED_IN,SOLAR",
        "FEED_IN,",
        [
            "invoice_lines.csv:4: stream_type: '' with item_type FEED_IN, which goes with SOLAR",
        ],
    ),
    (
        "plans.csv",
        "TOU,FEED_IN,ANYTIME,2025-01-01,,0.05,,,",
        "TOU,FEED_IN,ANYTIME,2026-10-01,,0.05,,,",
        [
            "accounts.csv:3: plan_code: plan TOU has no FEED_IN price for register B1 of site 4103000001 on the unbilled days 2026-08-21 to 2026-09-30 (priced: 2026-10-01 to on), add it",
        ],
    ),
    (
        "plans.csv",
        "FLAT,CONTROL,ANYTIME,2025-01-01,",
        "FLAT,CONTROL,ANYTIME,2025-01-01,2026-10-15",
        [
            "accounts.csv:4: plan_code: plan FLAT has no CONTROL price for register 02 of site QAAAVZZZZZ on the unbilled days 2026-10-16 to 2026-10-31 (priced: 2025-01-01 to 2026-10-15), add it",
        ],
    ),
    (
        "plans.csv",
        "GAS,USAGE,ANYTIME,",
        "GAS,USAGE,PEAK,",
        [
            "plans.csv:12: time_class: USAGE of plan GAS has no price at 00:00 on WEEKDAY days from 2025-01-01 on, complete time_classes.csv or add ANYTIME",
        ],
    ),
    (
        "basic_reads.csv",
        "5240000001,M4",
        "5240000001,M5",
        [
            "basic_reads.csv:7: register_id: register 01 of meter M5 at 5240000001 is not in registers.csv",
        ],
    ),
    (
        "basic_reads.csv",
        "M4,01,2026-09-01",
        "M4,01,2024-09-01",
        [
            "basic_reads.csv:7: read_date: 2024-09-01 is outside the register's dates in registers.csv, line 7",
        ],
    ),
    (
        "basic_reads.csv",
        "M3,02,2026-09-15,180",
        "M3,02,2026-09-15,80",
        [
            "basic_reads.csv:6: index_value: 80 is below 100 of 2026-03-17 (line 5); give the register's digits if the index rolled over",
        ],
    ),
    (
        "basic_reads.csv",
        "M3,02,2026-09-15",
        "M3,02,2026-03-17",
        [
            "basic_reads.csv:6: read_date: 2026-03-17 stands on line 5 already",
        ],
    ),
    (
        "basic_reads.csv",
        "9990,39.5",
        "19990,39.5",
        [
            "basic_reads.csv:7: index_value: 19990 has more than the register's 4 digits",
        ],
    ),
    (
        "basic_reads.csv",
        "9990,39.5",
        "9990,0",
        [
            "basic_reads.csv:7: quantity_factor: 0 makes every quantity nothing, give kWh or MJ per unit",
        ],
    ),
    (
        "basic_reads.csv",
        "5240000001,M4,01",
        "4103000001,M2,E1",
        [
            "basic_reads.csv:7: register_id: register E1 is INTERVAL in registers.csv, its reads belong in nem12/",
        ],
    ),
    (
        "gas_volumes.csv",
        "2026-10-02,410000.5",
        "2026-10-01,410000.5",
        [
            "gas_volumes.csv:3: date: 2026-10-01 of VIC ZONE stands on line 2 already",
        ],
    ),
    (
        "gas_volumes.csv",
        "410000.5",
        "-1",
        [
            "gas_volumes.csv:3: volume_mj: -1 is below 0",
        ],
    ),
    (
        "public_holidays.csv",
        "NSW,2026-10-05\n",
        "NSW,2026-10-05\nNSW,2026-10-05\n",
        [
            "public_holidays.csv:3: date: 2026-10-05 stands on line 2 already",
        ],
    ),
    (
        "plans.csv",
        "GAS,DAILY,ANYTIME,2025-01-01,,0.80,,,\n",
        "GAS,DAILY,ANYTIME,2025-01-01,,0.80,,,\nGAS,DAILY,ANYTIME,2025-01-01,,0.90,,,\n",
        [
            "plans.csv:12: from_date: DAILY is priced for the same days on line 11, remove one",
        ],
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "problems"), SPOILT)
def test_spoilt_folder_is_refused_with_its_problems(folder, file, old, new, problems):
    folder.replace(file, old, new)
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(problem) for problem in refused.value.problems] == problems


def test_sound_folder_is_read_with_its_types(folder):
    portfolio = folder.read()
    assert [account.account_id for account in portfolio.accounts] == ["A1", "A2", "B1", "G1"]
    first, _, third, _ = portfolio.accounts
    assert (first.open_date, first.close_date, first.next_bill_date) == (date(2025, 1, 1), date(2026, 6, 30), None)
    assert third.site_id == "QAAAVZZZZZ"  # its checksum, 3, is verified and dropped
    assert portfolio.plans[1].rate == Decimal("0.30")
    assert portfolio.plans[1].discount_propensity == Decimal("0.85")
    assert portfolio.plans[2].block_limit_per_day is None
    assert [(window.start_time, window.end_time) for window in portfolio.time_classes[:3]] == [
        (840, 1230),
        (0, 840),
        (1230, 1440),
    ]
    assert [invoice.estimated for invoice in portfolio.invoices] == [False, False, True, False]
    assert portfolio.invoice_lines[0].stream_type is None
    assert portfolio.basic_reads[1].index_value == Decimal("99950.250")
    assert [holiday.line for holiday in portfolio.public_holidays] == [2]


def test_columns_may_come_in_any_order_with_a_byte_order_mark_and_blank_lines(folder):
    path = folder.path / "gas_volumes.csv"
    path.write_bytes(b"\xef\xbb\xbfdate,volume_mj,node,jurisdiction\r\n\r\n2026-10-01, 12.5 ,ZONE,VIC\r\n")
    (volume,) = folder.read().gas_volumes
    assert (volume.line, volume.jurisdiction, volume.volume_mj) == (3, "VIC", Decimal("12.5"))


def test_lines_are_counted_where_a_quoted_field_has_a_line_end(folder):
    folder.replace("accounts.csv", "A1,ELECTRICITY,RES,NSW,MASS", 'A1,ELECTRICITY,RES,NSW,"MASS\nMARKET"')
    folder.replace("accounts.csv", "G1,GAS", "G1,GASS")
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(problem) for problem in refused.value.problems] == [
        "accounts.csv:2: journal_segment: 'MASS\\nMARKET' has a control character in it, U+000A: remove it",
        "accounts.csv:6: fuel: 'GASS' is not known, use one of ELECTRICITY, GAS",
    ]


def test_temperatures_are_optional_and_may_be_of_any_zone(folder):
    (folder.path / "temperatures.csv").write_text(
        "jurisdiction,node,date,mean_c\nVIC,ZONE,2026-10-01,-0.5\nNSW,ELSEWHERE,2026-10-01,31\n", encoding="utf-8"
    )
    first, second = folder.read().temperatures
    assert (first.node, first.date, first.mean_c) == ("ZONE", date(2026, 10, 1), Decimal("-0.5"))
    assert second.mean_c == 31
    (folder.path / "temperatures.csv").unlink()
    assert folder.read().temperatures == []


def test_a_temperature_is_one_a_day_and_in_celsius(folder):
    (folder.path / "temperatures.csv").write_text(
        "jurisdiction,node,date,mean_c\nVIC,ZONE,2026-10-01,9\nVIC,ZONE,2026-10-02,288.15\n", encoding="utf-8"
    )
    with pytest.raises(InvalidPortfolio) as caught:
        folder.read()
    assert "temperatures.csv:3: mean_c: 288.15 is above 60" in str(caught.value)
    folder.replace("temperatures.csv", "2026-10-02,288.15", "2026-10-01,15")
    with pytest.raises(InvalidPortfolio) as caught:
        folder.read()
    assert "temperatures.csv:3: date: 2026-10-01 of VIC ZONE stands on line 2 already" in str(caught.value)


def test_public_holidays_are_optional(folder):
    (folder.path / "public_holidays.csv").unlink()
    assert folder.read().public_holidays == []


def test_a_file_with_nothing_to_tell_holds_its_header(folder):
    (folder.path / "gas_volumes.csv").write_text("jurisdiction,node,date,volume_mj\n", encoding="utf-8")
    assert folder.read().gas_volumes == []


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (
            b"jurisdiction,node,day,volume_mj\n",
            [
                "gas_volumes.csv:1: date: column is missing, the header is jurisdiction,node,date,volume_mj",
                "gas_volumes.csv:1: day: column is not known, the header is jurisdiction,node,date,volume_mj",
            ],
        ),
        (
            b"jurisdiction,node,date,date,volume_mj\n",
            ["gas_volumes.csv:1: date: column stands twice in the header, remove one"],
        ),
        (
            b"",
            [
                f"gas_volumes.csv:1: {name}: column is missing, the header is jurisdiction,node,date,volume_mj"
                for name in ("date", "jurisdiction", "node", "volume_mj")
            ],
        ),
        (
            b"jurisdiction,node,date,volume_mj\nVIC,Sm\xf8rum,2026-10-01,5\n",
            [
                "gas_volumes.csv:2: encoding: is not UTF-8, save the file as CSV UTF-8",
            ],
        ),
        (
            b'jurisdiction,node,date,volume_mj\nVIC,"ZONE"X,2026-10-01,5\n',
            ["gas_volumes.csv:2: row: is no CSV (',' expected after '\"'), check its quotes"],
        ),
    ],
)
def test_files_that_are_no_table_are_refused(folder, content, problems):
    (folder.path / "gas_volumes.csv").write_bytes(content)
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(problem) for problem in refused.value.problems] == problems


def test_missing_and_unknown_files_are_named(folder):
    (folder.path / "plans.csv").unlink()
    (folder.path / "public_holiday.csv").write_text("jurisdiction,date\n", encoding="utf-8")
    (folder.path / "nem12").mkdir()
    (folder.path / "nem12" / "reads.xlsx").write_bytes(b"")
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [(problem.file, problem.reason.split(",")[0].split(" (")[0]) for problem in refused.value.problems] == [
        ("nem12/reads.xlsx", "is no .csv"),
        ("plans.csv", "is missing; where there is nothing to tell"),
        ("public_holiday.csv", "is not part of a portfolio"),
    ]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="does not exist"):
        read_portfolio(tmp_path / "nowhere", date(2026, 11, 1))


def test_the_first_twenty_problems_are_shown(folder):
    for day in range(1, 31):
        folder.add("gas_volumes.csv", f"VIC,ZONE,2026-09-{day:02},much")
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    lines = str(refused.value).splitlines()
    assert lines[0] == "30 problem(s) in the portfolio, nothing was loaded:"
    assert lines[1].startswith("gas_volumes.csv:4: volume_mj: 'much' is no plain decimal number")
    assert len(lines) == 22
    assert lines[-1] == "... and 10 more"


def test_an_unbilled_day_outside_the_period_needs_no_price(folder):
    """The period of a run on 1 November 2026 begins on 1 November 2025; G1 has been unbilled since January."""
    folder.replace("plans.csv", "GAS,USAGE,ANYTIME,2025-01-01", "GAS,USAGE,ANYTIME,2025-11-01")
    folder.read()
    folder.replace("plans.csv", "GAS,USAGE,ANYTIME,2025-11-01", "GAS,USAGE,ANYTIME,2025-11-02")
    with pytest.raises(InvalidPortfolio, match="on the unbilled days 2025-11-01 to 2025-11-01"):
        folder.read()


def test_a_time_class_may_be_priced_in_summer_only_where_anytime_holds_all_year(folder):
    folder.replace("plans.csv", "TOU,USAGE,OFFPEAK,2025-01-01,,0.20", "TOU,USAGE,ANYTIME,2025-01-01,,0.20")
    folder.replace(
        "plans.csv",
        "TOU,USAGE,PEAK,2025-01-01,,0.50,,,\n",
        "TOU,USAGE,PEAK,2025-12-01,2026-02-28,0.50,,,\nTOU,USAGE,PEAK,2026-12-01,,0.50,,,\n",
    )
    assert len(folder.read().plans) == 12


def test_truth_of_a_demo_portfolio_is_not_part_of_it(folder):
    (folder.path / "truth.csv").write_text("anything\n", encoding="utf-8")
    assert len(folder.read().accounts) == 4


def test_a_basic_registers_meter_may_be_called_as_it_likes(folder):
    """Nothing of it is written into a meter data file."""
    for file in ("registers.csv", "basic_reads.csv"):
        text = (folder.path / file).read_text(encoding="utf-8")
        (folder.path / file).write_text(text.replace("M4,", '"M\u00fc,4",'), encoding="utf-8")
    assert folder.read().basic_reads[-1].meter_serial == "M\u00fc,4"


def test_rules_are_judged_where_their_files_could_be_read(folder):
    """What a spoilt account is referred to by is not reported; a price without an end is."""
    folder.replace("accounts.csv", "G1,GAS", "G1,STEAM")
    folder.replace("plans.csv", "GAS,DAILY,ANYTIME", "GAS,DAILY,PEAK")
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(problem) for problem in refused.value.problems] == [
        "accounts.csv:5: fuel: 'STEAM' is not known, use one of ELECTRICITY, GAS",
        "plans.csv:11: time_class: DAILY is charged per day, use ANYTIME",
    ]


def test_prices_are_wanted_for_the_days_of_a_chosen_period(folder):
    """CONTROL has no price from 16 October on: October needs one, the period to 15 October does not."""
    folder.replace("plans.csv", "FLAT,CONTROL,ANYTIME,2025-01-01,,", "FLAT,CONTROL,ANYTIME,2025-01-01,2026-10-15,")
    with pytest.raises(InvalidPortfolio, match=r"no CONTROL price .* 2026-10-16 to 2026-10-31"):
        folder.read()
    read_portfolio(folder.path, date(2026, 11, 1), period=choose(date(2026, 11, 1), to_date=date(2026, 10, 15)))
