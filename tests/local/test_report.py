"""How far a run's estimates are from a known truth, by fuel and segment: worked out by hand."""

from decimal import Decimal

from local.report import Result, _accuracy


def account(account_id: str, fuel: str, segment: str, actual: str, total: str) -> dict[str, str]:
    estimated = str(Decimal(total) - Decimal(actual))
    return {
        "account_id": account_id, "fuel": fuel, "journal_segment": segment,
        "units_actual": actual, "units_estimated": estimated, "units_total": total,
    }  # fmt: skip


def test_book_error_and_wape_are_shares_of_what_was_missing() -> None:
    accounts = [
        account("A", "GAS", "HOMES", "100", "150"),  # 40 were missing, 10 too many
        account("B", "GAS", "HOMES", "0", "60"),  # 80 were missing, 20 too few
        account("C", "GAS", "SHOPS", "0", "50"),  # 40 were missing, 10 too many
        account("D", "GAS", "SHOPS", "70", "70"),  # nothing was estimated
        account("E", "ELECTRICITY", "HOMES", "0", "9"),  # its truth is not known
    ]
    truth = {name: {"units_true": units} for name, units in (("A", "140"), ("B", "80"), ("C", "40"), ("D", "71"))}
    found = Result(accounts=accounts, exceptions=[], truth=truth)
    by_segment = {key: one.percents() for key, one in _accuracy(found, "fuel", "journal_segment").items()}
    assert by_segment == {
        ("GAS", "HOMES"): {"accounts": 2, "book_percent": -8.33, "wape_percent": 25.0},
        ("GAS", "SHOPS"): {"accounts": 1, "book_percent": 25.0, "wape_percent": 25.0},
    }
    ((fuel, whole),) = _accuracy(found, "fuel").items()
    assert (fuel, whole.percents()) == (("GAS",), {"accounts": 3, "book_percent": 0.0, "wape_percent": 25.0})
