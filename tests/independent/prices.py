"""What a day of an account costs: its plan, the prices that are valid, and the time classes by the local clock."""

from collections import defaultdict

import numpy as np
from tests.independent.folder import Account, Folder, PlanRow

ITEM = {"PRIMARY": "USAGE", "CONTROL": "CONTROL", "SOLAR": "FEED_IN"}


class Prices:
    """The prices of a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._clocks: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def clock(self, jurisdiction: str) -> tuple[np.ndarray, np.ndarray]:
        if jurisdiction not in self._clocks:
            self._clocks[jurisdiction] = self.folder.local_clock(jurisdiction)
        return self._clocks[jurisdiction]

    def plan_on(self, account: Account, index: int) -> str:
        """The plan of a day: of the account's history, or else the account's own."""
        day = self.folder.date(index)
        history = self.folder.histories.get(account.account_id, [])
        return next((plan for plan, start, end in history if start <= day <= end), account.plan)

    def prices_on(self, account: Account, index: int) -> list[PlanRow]:
        """The prices of a day."""
        rows = self.folder.plans.get(self.plan_on(account, index), [])
        return [row for row in rows if row.valid(self.folder.date(index))]

    def class_shares(self, account: Account, item: str, index: int) -> dict[str, float]:
        """An index has no time of day: its day is divided by the hours of the classes, unless ANYTIME has a price."""
        names = {row.time_class for row in self.prices_on(account, index) if row.item == item}
        weekday = self.folder.day_types(account.jurisdiction)[index] == "W"
        kinds = {"ALL", "WEEKDAY" if weekday else "WEEKEND"}
        hours: dict[str, float] = defaultdict(float)
        for name, days, start, end in self.folder.windows.get(self.plan_on(account, index), []):
            if name in names and days in kinds:
                hours[name] += end - start if end > start else 24 * 60 - start + end
        if "ANYTIME" in names or not hours:
            return {"ANYTIME": 1.0}
        return {name: minutes / sum(hours.values()) for name, minutes in hours.items()}

    def time_classes(self, account: Account, item: str) -> np.ndarray:
        """Time class of each market half-hour by the local clock; one that the plan does not price is ANYTIME."""
        local_day, minute = self.clock(account.jurisdiction)
        weekend = (self.folder.day_types(account.jurisdiction) != "W")[local_day]
        classes = np.full(local_day.shape, "ANYTIME", dtype=object)
        history = self.folder.histories.get(account.account_id, [])
        own = np.ones(self.folder.days, dtype=bool)
        for _, start, end in history:
            own &= ~self.folder.between(start, end)
        for plan, days in [(account.plan, own), *((p, self.folder.between(s, e)) for p, s, e in history)]:
            for name, kind, start, end in self.folder.windows.get(plan, []):
                which = {"ALL": True, "WEEKDAY": ~weekend, "WEEKEND": weekend}[kind]
                priced = np.zeros(self.folder.days, dtype=bool)
                for row in self.folder.plans.get(plan, []):
                    if row.item == item and row.time_class == name:
                        priced |= self.folder.between(row.start, row.end)
                inside = (minute >= start) & (minute < end) if start < end else (minute >= start) | (minute < end)
                classes[inside & which & (priced & days)[local_day]] = name
        return classes

    def pays_nothing_for_export(self, account: Account, days: list[int]) -> bool:
        plans = {self.plan_on(account, index) for index in days}
        return not any(row.item == "FEED_IN" for plan in plans for row in self.folder.plans.get(plan, []))
