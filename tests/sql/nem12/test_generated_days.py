"""Missing periods, and the days of generated meter data files: known half-hours kept, missing ones profile x scalar."""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.builder import Book, day


def half_hours(*runs: tuple[int, Any]) -> list[Decimal]:
    """Values by run length, as decimals."""
    return [Decimal(str(value)) for count, value in runs for _ in range(count)]


def scale(book: Book, account_id: str, register: int, scalar: Any, method: str = "READS", **more: Any) -> None:
    """A micro scalar as bua_create_invoice_scalar leaves it."""
    book.call("bua_create_invoice_scalar", [account_id])
    assignments = {"method": method, "scalar": scalar, **more}
    book.rows(
        f"update bua.micro_scalar set {', '.join(f'{name} = %s' for name in assignments)}"
        " where run_date = %s and account_id = %s and meter_register_id = %s",
        *(*assignments.values(), book.run_date, account_id, register),
    )


def generate(book: Book, *sites: str) -> list[tuple[str, list[Decimal], str]]:
    found = book.ask("generate_nem12_days", list(sites), columns="profile_date::text, half_hours, qualities", order="1")
    return [(on, values, qualities) for on, values, qualities in found]


def unbilled(book: Book, first: str = "2026-10-30", *, name: str = "A", **more: Any) -> tuple[str, int]:
    site = book.account(name, opened=first, **more)
    return site, book.register(site)


# --- missing periods --------------------------------------------------------------------------------------------


def test_periods_of_consecutive_missing_days(book: Book) -> None:
    book.account("A", site="S", opened="2026-10-01", closed="2026-10-31")
    register = book.register("S")
    other = book.register("S", "E2", stream="CONTROL")
    book.days(register, "2026-10-01", "2026-10-04")
    book.days(register, "2026-10-07", "2026-10-30")
    book.days(other, "2026-10-01", "2026-10-31")
    expected = [
        ("A", "S", "E1", register, day("2026-10-05"), day("2026-10-06")),
        ("A", "S", "E1", register, day("2026-10-31"), day("2026-10-31")),
    ]
    assert book.ask("bua_list_missing_periods", order="period_from") == expected
    assert book.ask("bua_list_missing_periods", ["S"], order="period_from") == expected
    assert book.ask("bua_list_missing_periods", ["ELSEWHERE"]) == []


def test_billed_days_between_make_two_periods(book: Book) -> None:
    book.register(book.account("A", opened="2026-10-01"))
    book.billed("A", "2026-10-11", "2026-10-20")
    found = book.ask("bua_list_missing_periods", columns="period_from::text, period_to::text")
    assert found == [("2026-10-01", "2026-10-10"), ("2026-10-21", "2026-10-31")]


# --- generated days ---------------------------------------------------------------------------------------------


def test_a_missing_day_is_profile_times_scalar(book: Book) -> None:
    site, register = unbilled(book)
    book.profile("2026-10-30", "2026-10-30", [0.1] * 24 + [0.25] * 24)
    book.profile("2026-10-31", "2026-10-31", 0.2)
    scale(book, "A", register, 2)
    assert generate(book, site) == [
        ("2026-10-30", half_hours((24, "0.2"), (24, "0.5")), "E" * 48), ("2026-10-31", half_hours((48, "0.4")), "E" * 48),
    ]  # fmt: skip
    found = book.ask("generate_nem12_days", [site], columns="site_id, suffix, meter_serial, register_id")
    assert set(found) == {(site, "E1", "M1", "E1")}


def test_known_half_hours_are_kept_with_their_quality(book: Book) -> None:
    site, register = unbilled(book)
    book.profile("2026-10-30", "2026-10-31", 0.1)
    values = [*range(1, 49)]
    book.days(register, "2026-10-30", "2026-10-30", values, quality="A" * 10 + "N" * 18 + "S" * 10 + "F" * 5 + "E" * 5)
    book.days(register, "2026-10-31", "2026-10-31")
    book.snapshot()
    scale(book, "A", register, 3)
    ((on, found, qualities),) = generate(book, site)  # the 31st has been read
    expected = [Decimal("0.3") if 11 <= h <= 28 else Decimal(h) / 1000 for h in range(1, 49)]
    assert (on, found) == ("2026-10-30", expected)
    # A delivered estimate was read, not estimated by us: it stands as a substitute.
    assert qualities == "A" * 10 + "E" * 18 + "S" * 10 + "F" * 5 + "S" * 5


def test_rounding_never_adds_up(book: Book) -> None:
    site, register = unbilled(book)
    book.profile("2026-10-30", "2026-10-31", 0.0333)
    scale(book, "A", register, 1)
    (_, first, _), (_, second, _) = generate(book, site)
    # 0.0333, 0.0666, 0.0999 are rounded to 0.033, 0.067, 0.100.
    assert first[:3] == [Decimal("0.033"), Decimal("0.034"), Decimal("0.033")]
    # 48 x 0.0333 = 1.5984 and 96 x 0.0333 = 3.1968.
    assert (sum(first), sum(first) + sum(second)) == (Decimal("1.598"), Decimal("3.197"))


def test_a_summer_bill_day_takes_two_market_days(book: Book) -> None:
    site, register = unbilled(book, "2026-10-31", state="NSW")
    book.profile("2026-10-30", "2026-10-31", 0.1, key="NSW|RES|PRIMARY")
    book.days(register, "2026-10-30", "2026-10-30", 777, quality="A" * 40 + "N" * 8)
    scale(book, "A", register, 2)
    # A file has whole market days; what was read of them is kept.
    assert generate(book, site) == [
        ("2026-10-30", half_hours((40, "0.777"), (8, "0.2")), "A" * 40 + "E" * 8),
        ("2026-10-31", half_hours((48, "0.2")), "E" * 48),
    ]


def test_two_accounts_on_one_market_day_have_each_their_half_hours(book: Book) -> None:
    site = book.account("A", state="NSW", opened="2026-10-29", closed="2026-10-30")
    book.account("B", site=site, state="NSW", opened="2026-10-31")
    register = book.register(site)
    book.profile("2026-10-28", "2026-10-31", 0.1, key="NSW|RES|PRIMARY")
    scale(book, "A", register, 1)
    scale(book, "B", register, 3)
    found = generate(book, site)
    assert [on for on, _, _ in found] == ["2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31"]
    # B's 31 October begins at 23:00 market time of the 30th.
    assert found[2] == ("2026-10-30", half_hours((46, "0.1"), (2, "0.3")), "E" * 48)
    assert found[3] == ("2026-10-31", half_hours((48, "0.3")), "E" * 48)


def test_a_giants_mean_half_hours_by_day_type(book: Book) -> None:
    book.holiday("2026-10-29")  # a Thursday; no holiday among the reference days
    site, register = unbilled(book, "2026-10-19")
    # Monday 19 to Friday 23: 2, then 3 on the last two days; Saturday and Sunday: 8.
    book.days(register, "2026-10-19", "2026-10-21", 2000)
    book.days(register, "2026-10-22", "2026-10-23", 3000)
    book.days(register, "2026-10-24", "2026-10-25", 8000)
    book.days(register, "2026-10-26", "2026-10-28", 1000, quality="E")  # read, no reference
    book.snapshot()
    scale(
        book,
        "A",
        register,
        None,
        "GIANT_DAILY_MEAN",
        reference_from="2026-10-19",
        reference_to="2026-10-25",
        daily_mean=999,
    )
    found = {on: values for on, values, _ in generate(book, site)}
    assert list(found) == ["2026-10-29", "2026-10-30", "2026-10-31"]
    # Weekday (3 x 2 + 2 x 3) / 5 = 2.4; weekend 8; of all days (12 + 16) / 7 = 4. Cumulative rounding has nothing to do.
    assert found["2026-10-29"] == half_hours((48, 4))
    assert found["2026-10-30"] == half_hours((48, "2.4"))
    assert found["2026-10-31"] == half_hours((48, 8))


def test_an_account_that_no_profile_covers_has_its_mean_half_hours(book: Book) -> None:
    site, register = unbilled(book, "2026-10-01")
    book.days(register, "2026-10-01", "2026-10-30", [100] * 24 + [300] * 24)
    book.snapshot()
    book.call("bua_create_invoice_scalar", ["A"])
    assert book.scalar("A", "method") == ("OWN_DAILY_MEAN",)
    assert generate(book, site) == [("2026-10-31", half_hours((24, "0.1"), (24, "0.3")), "E" * 48)]
    assert register


def test_a_day_that_the_profile_lacks_takes_its_mean(book: Book) -> None:
    site, register = unbilled(book)
    book.profile("2026-10-30", "2026-10-30", 0.1)
    book.profile("2026-10-31", "2026-10-31", [0.1] * 47 + [None])
    scale(book, "A", register, 2, macro_units=480, reference_days=20)
    # Half-hour 48 of the 31st: 2 x 480 / 20 / 48.
    (_, first, _), (_, second, _) = generate(book, site)
    assert first == half_hours((48, "0.2"))
    assert second == half_hours((47, "0.2"), (1, 1))


def test_the_meter_that_was_there_on_the_day(book: Book) -> None:
    site = book.account("A", opened="2026-10-30")
    book.register(site, end="2026-10-30", serial="OLD")
    new = book.register(site, start="2026-10-31", serial="NEW")
    book.profile("2026-10-30", "2026-10-31", 0.1)
    scale(book, "A", new, 1)
    assert book.ask("generate_nem12_days", [site], columns="profile_date::text, meter_serial") == [
        ("2026-10-30", "OLD"), ("2026-10-31", "NEW"),
    ]  # fmt: skip


def test_every_suffix_and_only_the_sites_that_are_asked_for(book: Book) -> None:
    site, _ = unbilled(book, "2026-10-31")
    book.register(site, "B1", stream="SOLAR")
    unbilled(book, "2026-10-31", name="OTHER")
    for stream in ("PRIMARY", "SOLAR"):
        book.segment(key=f"QLD|RES|{stream}")
        book.profile("2026-10-31", "2026-10-31", 0.1, key=f"QLD|RES|{stream}")
    book.call("bua_create_invoice_scalar", ["A", "OTHER"])
    assert book.ask("bua_list_profile_nmis") == [("S-A",), ("S-OTHER",)]
    found = book.ask("generate_nem12_days", [site], columns="site_id, suffix", order="2")
    assert found == [(site, "B1"), (site, "E1")]


def test_nothing_to_work_from_makes_no_file(book: Book) -> None:
    site, _ = unbilled(book)
    book.call("bua_create_invoice_scalar", ["A"])
    assert book.ask("bua_list_profile_nmis") == []
    assert generate(book, site) == []


def test_complete_sites_and_basic_meters_need_no_file(book: Book) -> None:
    book.segment()
    _, register = unbilled(book)
    book.days(register, "2026-10-30", "2026-10-31")
    book.snapshot()
    book.basic(book.account("BASIC", opened="2026-10-01"))
    book.call("bua_create_invoice_scalar", ["A", "BASIC"])
    assert book.ask("bua_list_profile_nmis") == []


@pytest.mark.parametrize("scalar", [0, Decimal("0.000000000000001")])
def test_a_vacant_site_stays_empty(book: Book, scalar: Any) -> None:
    site, register = unbilled(book, "2026-10-31")
    book.profile("2026-10-31", "2026-10-31", 0.1)
    scale(book, "A", register, scalar)
    assert generate(book, site) == [("2026-10-31", half_hours((48, 0)), "E" * 48)]


def test_a_new_attempt_removes_what_was_generated_before(book: Book) -> None:
    _, register = unbilled(book)
    basic = book.basic("S-A")
    for meter in (register, basic):
        book.platform_units(meter, "2026-10-01", "2026-10-01", 1)
        book.rows("insert into core.aggregated_read select %s, '2026-10-31', '2026-10-31', 'ANYTIME', 'ESTIMATED', 5, 'BUA', d"
                  " from unnest(array[%s, '2026-10-01']::date[]) d", meter, book.run_date)  # fmt: skip
    book.rows("insert into core.workflow_instance (workflow_name, run_date) select w, d"
              " from unnest(array['LOAD_NEM12', 'IMPORT_NEM12', 'GENERATE_ILI']) w, unnest(array[%s, '2026-10-01']::date[]) d",
              book.run_date)  # fmt: skip
    book.ask("plan_work_items", "NEM12", "new", 50)
    left = book.rows("select meter_register_id, origin, run_date::text from core.aggregated_read order by 1, 2, 3")
    assert left == [
        (register, "BUA", "2026-10-01"), (register, "PLATFORM", None),
        (basic, "BUA", "2026-10-01"), (basic, "BUA", book.run_date), (basic, "PLATFORM", None),
    ]  # fmt: skip
    assert book.rows("select workflow_name, run_date::text from core.workflow_instance order by 1, 2") == [
        ("GENERATE_ILI", "2026-10-01"), ("GENERATE_ILI", book.run_date),
        ("IMPORT_NEM12", "2026-10-01"), ("LOAD_NEM12", "2026-10-01"),
    ]  # fmt: skip
