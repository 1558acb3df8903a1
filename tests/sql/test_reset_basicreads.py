"""What a run made for basic registers is removed, and nothing else."""

from tests.sql.builder import Book


def test_only_what_this_run_made_for_the_accounts_basic_registers_is_removed(book: Book) -> None:
    site = book.account("A", closed="2026-10-15")
    book.account("B", site=site, opened="2026-10-16")
    basic, interval = book.basic(site), book.register(site)
    for register in (basic, interval):
        for first, last in (("2026-10-01", "2026-10-15"), ("2026-10-16", "2026-10-31")):
            for origin, run_date in (("PLATFORM", None), ("BUA", "2026-10-01"), ("BUA", book.run_date)):
                book.rows(
                    "insert into core.aggregated_read values (%s, %s, %s, 'ANYTIME', 'ESTIMATED', 1, %s, %s)",
                    *(register, first, last, origin, run_date),
                )
                book.rows(
                    "insert into core.meter_read (meter_register_id, read_date, index_value, quantity_factor, quality, origin,"
                    " run_date) values (%s, %s::date + 1, 1, 1, 'E', %s, %s)",
                    *(register, last, origin, run_date),
                )
    for _ in range(2):
        book.call("reset_basic_reads", ["A"])
        # Of six quantities and six reads of the basic register, one each: A's days of this run. The read after A's
        # last day is A's.
        assert book.rows("select meter_register_id, count(*) from core.aggregated_read group by 1 order by 1") == [
            (basic, 5),
            (interval, 6),
        ]
        assert book.rows("select meter_register_id, count(*) from core.meter_read group by 1 order by 1") == [
            (basic, 5), (interval, 6),
        ]  # fmt: skip
        assert book.rows(
            "select read_date::text from core.meter_read where meter_register_id = %s and run_date = %s",
            basic,
            book.run_date,
        ) == [("2026-11-01",)]
