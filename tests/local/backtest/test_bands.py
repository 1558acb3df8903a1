"""Whether a band held: its limits are shares of its middle, put around the settled accounts' estimate."""

from dataclasses import replace
from datetime import date

from local.backtest.bands import Band, accounts_sentences, held, sentences
from local.backtest.score import Observation

JUNE, JULY = date(2013, 6, 1), date(2013, 7, 1)
# 1,000 kWh, 80 % within a tenth, 95 % within a fifth
BAND = Band("ELECTRICITY", 1000, 900, 1100, 800, 1200)


def account(name: str, missing: float, estimated: float, on: date = JUNE, method: str = "READS") -> Observation:
    return Observation(on, name, "ELECTRICITY", "QLD RES", method, missing, {"product": estimated})


def test_the_band_is_cut_to_the_settled_accounts():
    # 500 of the 1,000 kWh are settled: 450 to 550 and 400 to 600. 440 was used.
    (found,) = held({JUNE: [BAND]}, [account("A", 140, 200), account("B", 300, 300)])
    assert (found.accounts, found.missing, found.estimated) == (2, 440, 500)
    assert found.limits == {80: (450, 550), 95: (400, 600)}
    assert (found.within(80), found.within(95)) == (False, True)


def test_a_limit_itself_is_within():
    (found,) = held({JUNE: [BAND]}, [account("A", 450, 500)])
    assert found.within(80)


def test_an_account_without_band_does_not_count():
    (found,) = held({JUNE: [BAND]}, [account("A", 500, 500), account("B", 9000, 1, method="SEGMENT_AVERAGE")])
    assert (found.accounts, found.missing) == (1, 500)


def test_a_fuel_without_a_band_or_without_settled_accounts_is_left_out():
    assert list(held({JUNE: []}, [account("A", 500, 500)])) == []
    assert list(held({JUNE: [BAND]}, [account("A", 500, 500, on=JULY)])) == []


def test_the_sentence_counts_month_ends():
    bands = {JUNE: [BAND], JULY: [BAND]}
    found = list(held(bands, [account("A", 440, 500), account("A", 500, 500, on=JULY)]))
    assert list(sentences(found)) == [
        "electricity: of 2 month ends the 80 % band in 1, the 95 % band in 2 held what was read later"
    ]


def test_accounts_are_counted_by_the_bands_that_they_have():
    """A used 140 kWh, B 300, C 9 of a business, of which one has no 95 % band and one none at all."""
    wide, narrow = {80: (90.0, 150.0), 95: (50.0, 200.0)}, {80: (100.0, 299.0)}
    accounts = [
        replace(account("A", 140, 130), limits=wide),
        replace(account("B", 300, 290), limits=narrow),
        replace(account("C", 9, 9), segment="QLD BUS"),
    ]
    assert list(accounts_sentences(accounts)) == [
        "accounts, electricity: the 80 % band held 1 of 2 (50%), the 95 % band held 1 of 1 (100%)",
        "accounts, electricity QLD BUS: none of 1 has a band",
        "accounts, electricity QLD RES: the 80 % band held 1 of 2 (50%), the 95 % band held 1 of 1 (100%)",
    ]
