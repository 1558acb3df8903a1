"""Rules of plans.csv, time_classes.csv and account_plans.csv: blocks, validities, windows, who has which plan when."""

from collections import defaultdict
from collections.abc import Iterable

from local.portfolio.problems import Problems
from local.portfolio.records import AccountPlan, PlanItem, Portfolio, TimeClassWindow
from local.portfolio.spans import DAY, Span, gaps, overlaps, shown, uncovered

PLANS = "plans.csv"
WINDOWS = "time_classes.csv"
HISTORY = "account_plans.csv"
DAY_TYPES = {"ALL": ("WEEKDAY", "WEEKEND"), "WEEKDAY": ("WEEKDAY",), "WEEKEND": ("WEEKEND",)}


def check_plans(portfolio: Portfolio, problems: Problems) -> None:
    """Report prices that contradict each other or leave a day or a kWh without one."""
    priced: dict[tuple[str, str, str], list[PlanItem]] = defaultdict(list)
    for item in portfolio.plans:
        _check_row(item, problems)
        priced[item.plan_code, item.item_type, item.time_class].append(item)
    for rows in priced.values():
        _check_validities(rows, problems)
    _check_gaps(priced, problems)
    _check_windows(portfolio, problems)


def _check_row(item: PlanItem, problems: Problems) -> None:
    if item.to_date is not None and item.to_date < item.from_date:
        problems.add(PLANS, item.line, "to_date", f"{item.to_date} is before from_date {item.from_date}")
    if item.item_type == "DAILY" and item.time_class != "ANYTIME":
        problems.add(PLANS, item.line, "time_class", "DAILY is charged per day, use ANYTIME")
    if item.item_type == "DAILY" and item.block_limit_per_day is not None:
        problems.add(PLANS, item.line, "block_limit_per_day", "DAILY has no blocks, leave it blank")
    if item.item_type == "FEED_IN" and item.discount_percent:
        problems.add(PLANS, item.line, "discount_percent", "FEED_IN is a credit and has no discount, leave it blank")
    if item.block_limit_per_day == 0:
        problems.add(PLANS, item.line, "block_limit_per_day", "0 holds nothing, remove the row or leave it blank")


def _check_validities(rows: list[PlanItem], problems: Problems) -> None:
    """Rows of one plan, item and class: same from_date are blocks of one validity, others must follow each other."""
    validities: dict[object, list[PlanItem]] = defaultdict(list)
    for row in rows:
        validities[row.from_date].append(row)
    for blocks in validities.values():
        if blocks[0].item_type != "DAILY":
            _check_blocks(blocks, problems)
        elif len(blocks) > 1:
            reason = f"DAILY is priced for the same days on line {blocks[0].line}, remove one"
            problems.add(PLANS, blocks[1].line, "from_date", reason)
    firsts = [blocks[0] for blocks in validities.values()]
    for later, earlier in overlaps(((row.from_date, row.to_date), row) for row in firsts):
        reason = f"overlaps the price of line {earlier.line}, end the earlier one the day before the later one begins"
        problems.add(PLANS, later.line, "from_date", reason)


def _check_gaps(priced: dict[tuple[str, str, str], list[PlanItem]], problems: Problems) -> None:
    """An item that knows no time of day is priced without a break; a class may come and go with the seasons."""
    by_clock = {(plan_code, item) for plan_code, item, time_class in priced if time_class != "ANYTIME"}
    for (plan_code, item_type, _), rows in priced.items():
        if (plan_code, item_type) not in by_clock:
            starts = {row.from_date: row for row in rows}
            for first, last in gaps({(row.from_date, row.to_date) for row in rows}):
                after = starts[last + DAY]
                problems.add(PLANS, after.line, "from_date", f"no price from {first} to {last}, close the gap")


def _check_blocks(blocks: list[PlanItem], problems: Problems) -> None:
    for block in blocks[1:]:
        if block.to_date != blocks[0].to_date:
            reason = f"differs from the other block of this validity, line {blocks[0].line}"
            problems.add(PLANS, block.line, "to_date", reason)
    for block in blocks[:-1]:
        if block.block_limit_per_day is None:
            reason = (
                f"is blank, but line {blocks[-1].line} prices the same days; only the last block takes the remainder"
            )
            problems.add(PLANS, block.line, "block_limit_per_day", reason)
    if blocks[-1].block_limit_per_day is not None:
        reason = "the last block takes the remainder, leave it blank or add the block above it"
        problems.add(PLANS, blocks[-1].line, "block_limit_per_day", reason)


def _check_windows(portfolio: Portfolio, problems: Problems) -> None:
    plan_codes = {item.plan_code for item in portfolio.plans}
    windows: dict[str, list[TimeClassWindow]] = defaultdict(list)
    for window in portfolio.time_classes:
        if window.plan_code not in plan_codes:
            problems.add(WINDOWS, window.line, "plan_code", f"{window.plan_code!r} is not in plans.csv")
        if window.end_time <= window.start_time:
            reason = "is not after start_time; split a window that passes midnight in two"
            problems.add(WINDOWS, window.line, "end_time", reason)
        elif window.start_time == 24 * 60:
            problems.add(WINDOWS, window.line, "start_time", "24:00 can only be an end")
        windows[window.plan_code].append(window)
    for own in windows.values():
        _check_window_overlaps(own, problems)
    _check_hours_without_price(portfolio.plans, windows, problems)


def _check_window_overlaps(windows: list[TimeClassWindow], problems: Problems) -> None:
    reported = set()
    for day_type in ("WEEKDAY", "WEEKEND"):
        here = sorted(
            (window for window in windows if day_type in DAY_TYPES[window.days]),
            key=lambda window: (window.start_time, window.line),
        )
        for position, window in enumerate(here):
            clash = next((before for before in here[:position] if before.end_time > window.start_time), None)
            if clash is not None and window.line not in reported:
                reported.add(window.line)
                reason = f"overlaps the window of line {clash.line} on {day_type} days"
                problems.add(WINDOWS, window.line, "start_time", reason)


def _check_hours_without_price(
    items: Iterable[PlanItem], windows: dict[str, list[TimeClassWindow]], problems: Problems
) -> None:
    """Whenever a plan prices an item by class only, it must do so for every half-hour of the week."""
    by_item: dict[tuple[str, str], list[PlanItem]] = defaultdict(list)
    for item in items:
        if item.item_type != "DAILY":
            by_item[item.plan_code, item.item_type].append(item)
    for (plan_code, item_type), rows in by_item.items():
        starts = {row.from_date for row in rows} | {row.to_date + DAY for row in rows if row.to_date is not None}
        for start in sorted(starts):
            valid = [row for row in rows if row.from_date <= start and (row.to_date is None or start <= row.to_date)]
            hole = _first_hole({row.time_class for row in valid}, windows.get(plan_code, [])) if valid else None
            if hole is not None:
                reason = f"{item_type} of plan {plan_code} has no price at {hole} from {start} on"
                problems.add(PLANS, valid[0].line, "time_class", f"{reason}, complete time_classes.csv or add ANYTIME")
                break


def _first_hole(classes: set[str], windows: list[TimeClassWindow]) -> str | None:
    """Return the first half-hour of the week, in words, that no window of a priced class covers."""
    if "ANYTIME" in classes:
        return None
    for day_type in ("WEEKDAY", "WEEKEND"):
        covered = {
            minute
            for window in windows
            if window.time_class in classes and day_type in DAY_TYPES[window.days]
            for minute in range(window.start_time, window.end_time, 30)
        }
        hole = next((minute for minute in range(0, 24 * 60, 30) if minute not in covered), None)
        if hole is not None:
            return f"{hole // 60:02}:{hole % 60:02} on {day_type} days"
    return None


def check_account_plans(portfolio: Portfolio, problems: Problems) -> None:
    """Report plans that are not known, or that an account cannot have had on those days."""
    accounts = {account.account_id: account for account in portfolio.accounts}
    plan_codes = {item.plan_code for item in portfolio.plans}
    histories: dict[str, list[AccountPlan]] = defaultdict(list)
    for row in portfolio.account_plans:
        histories[row.account_id].append(row)
        account = accounts.get(row.account_id)
        if row.plan_code not in plan_codes:
            problems.add(HISTORY, row.line, "plan_code", f"{row.plan_code!r} is not in plans.csv")
        if row.to_date is not None and row.to_date < row.from_date:
            problems.add(HISTORY, row.line, "to_date", f"{row.to_date} is before from_date {row.from_date}")
        if account is None:
            problems.add(HISTORY, row.line, "account_id", f"{row.account_id!r} is not in accounts.csv")
            continue
        if row.from_date < account.open_date:
            reason = f"{row.from_date} is before account {row.account_id} opened on {account.open_date}"
            problems.add(HISTORY, row.line, "from_date", reason)
        if account.close_date is not None and (row.to_date or row.from_date) > account.close_date:
            name, day = ("to_date", row.to_date) if row.to_date else ("from_date", row.from_date)
            reason = f"{day} is after account {row.account_id} closed on {account.close_date}"
            problems.add(HISTORY, row.line, name, reason)
    for rows in histories.values():
        for later, earlier in overlaps(((row.from_date, row.to_date), row) for row in rows):
            reason = (
                f"overlaps the plan of line {earlier.line}, end the earlier one the day before the later one begins"
            )
            problems.add(HISTORY, later.line, "from_date", reason)


def plans_by_day(portfolio: Portfolio) -> dict[str, list[tuple[str, Span]]]:
    """Return every account's plans with the days of each; its own plan fills what its history leaves out."""
    histories: dict[str, list[AccountPlan]] = defaultdict(list)
    for row in portfolio.account_plans:
        histories[row.account_id].append(row)
    found = {}
    for account in portfolio.accounts:
        rows = [(row.plan_code, (row.from_date, row.to_date)) for row in histories[account.account_id]]
        own = uncovered((account.open_date, account.close_date), [span for _, span in rows])
        found[account.account_id] = [*rows, *((account.plan_code, span) for span in own)]
    return found


def priced_spans(rows: Iterable[PlanItem]) -> str:
    """Return the validities of some prices, for a message."""
    return ", ".join(sorted({shown((row.from_date, row.to_date)) for row in rows})) or "never"
