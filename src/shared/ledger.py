"""The run ledger: the current run, each step's record, and the lock (DynamoDB table <prefix>-ddb-bua).

| control_key      | run_date     | what                                                                     |
|------------------|--------------|--------------------------------------------------------------------------|
| BUA              | CURRENT      | the environment's current run: run_date, database address, lock, counter |
| BUA              | <run_date>   | a run: update_id, snapshot, interval reads, period, state, times, error  |
| BUA Restore, ... | <run_date>   | a step of a run: attempts, state, times, counts of its fan-outs, error   |
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from shared.errors import NoCurrentRun, RunInProgress

CURRENT = "CURRENT"
FIRST_UPDATE_ID = 14  # the document's stack is <prefix>-14-bua-sql

Values = dict[str, Any]


def control_key(step: str | None = None) -> str:
    """Key of a step's records: `BUA Restore`, `BUA Reset Basicreads`; without a step, of the runs themselves."""
    return " ".join(["BUA", *(word.capitalize() for word in step.split("-"))]) if step and step != "bua" else "BUA"


class Current(BaseModel):
    """The environment's current run; every field is empty until something was recorded."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_date: date | None = None
    state: str | None = None
    update_id: int | None = None
    db_host: str | None = None
    db_port: int | None = None
    lock_owner: str | None = None

    def database_address(self) -> tuple[str, int]:
        """Host and port of the run's database; raises NoCurrentRun when none is restored."""
        if self.db_host is None or self.db_port is None:
            raise NoCurrentRun("no database is restored in this environment: start at the step `restore`")
        return self.db_host, self.db_port


class Ledger:
    """Reads and conditional writes of the control table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def current(self) -> Current:
        """The current run, or an empty one."""
        return Current.model_validate(self.get(control_key(), CURRENT))

    def run(self, run_date: date) -> Values:
        """The record of a run; empty if there is none."""
        return self.get(control_key(), run_date.isoformat())

    def step(self, step: str, run_date: date) -> Values:
        """The record of a step of a run; empty if there is none."""
        return self.get(control_key(step), run_date.isoformat())

    def steps(self, steps: Sequence[str], run_date: date) -> dict[str, Values]:
        """The records of a run's steps, empty where there is none, in one request (which functions are not granted)."""
        keys = {control_key(step): step for step in steps}
        request = {"Keys": [_key(key, run_date.isoformat()) for key in keys], "ConsistentRead": True}
        found: dict[str, Values] = {step: {} for step in steps}
        requests: Any = {self._table: request}
        while requests:
            response = self._client.batch_get_item(RequestItems=requests)
            for item in map(_unpack, response["Responses"].get(self._table, [])):
                found[keys[item["control_key"]]] = item
            requests = response["UnprocessedKeys"]
        return found

    def set_current(self, values: Mapping[str, Any], remove: tuple[str, ...] = ()) -> None:
        """Write attributes of the current run."""
        self.update(control_key(), CURRENT, values, remove)

    def set_run(self, run_date: date, values: Mapping[str, Any], remove: tuple[str, ...] = ()) -> None:
        """Write attributes of a run."""
        self.update(control_key(), run_date.isoformat(), values, remove)

    def begin_step(self, step: str, run_date: date, execution: str, now: datetime) -> int:
        """Count an attempt of a step and return its number. Asking again for the same execution counts nothing."""
        record = self.step(step, run_date)
        if record.get("execution") == execution:
            return int(record["attempts"])
        attempt = int(record.get("attempts", 0)) + 1
        values = {
            "attempts": attempt,
            "state": "RUNNING",
            "execution": execution,
            "started_at": _text(now),
            "counts": {},
        }
        self.update(control_key(step), run_date.isoformat(), values, remove=("finished_at", "error", "cause"))
        return attempt

    def end_step(self, step: str, run_date: date, now: datetime, outcome: Mapping[str, Any]) -> None:
        """Record how a step ended: its state, and error and cause if it failed."""
        self.update(control_key(step), run_date.isoformat(), {"finished_at": _text(now), **outcome})

    def add_counts(self, step: str, run_date: date, name: str, counts: Mapping[str, int]) -> None:
        """Record the counts of one fan-out of a step."""
        known = self.step(step, run_date).get("counts", {})
        self.update(control_key(step), run_date.isoformat(), {"counts": {**known, name: dict(counts)}})

    def update_id(self, run_date: date) -> int:
        """The number in the stack's name: the next one for a new run, the same one for a known run."""
        known = self.run(run_date).get("update_id")
        if known is not None:
            return int(known)
        response = self._client.update_item(
            TableName=self._table,
            Key=_key(control_key(), CURRENT),
            UpdateExpression="SET last_update_id = if_not_exists(last_update_id, :before_first) + :one",
            ExpressionAttributeValues=_pack({":before_first": FIRST_UPDATE_ID - 1, ":one": 1}),
            ReturnValues="UPDATED_NEW",
        )
        update_id = int(_unpack(response["Attributes"])["last_update_id"])
        self.set_run(run_date, {"update_id": update_id})
        return update_id

    def take_lock(self, owner: str, now: datetime, is_running: Callable[[str], bool]) -> None:
        """Take the environment's lock, or keep it. It is taken from a holder whose execution has ended.

        Raises RunInProgress, naming the holder, when another execution is running.
        """
        while not self._write_lock(owner, now, holder=owner):
            holder = self.current().lock_owner
            if holder is None:
                continue
            if is_running(holder):
                raise RunInProgress(f"{holder} is running in this environment: wait for it, or stop it first")
            if self._write_lock(owner, now, holder=holder):
                return

    def release_lock(self, owner: str) -> bool:
        """Release the lock; returns False and does nothing if another execution holds it."""
        return self._update_lock(
            UpdateExpression="REMOVE lock_owner, lock_taken_at",
            ConditionExpression="lock_owner = :holder",
            ExpressionAttributeValues=_pack({":holder": owner}),
        )

    def _write_lock(self, owner: str, now: datetime, holder: str) -> bool:
        return self._update_lock(
            UpdateExpression="SET lock_owner = :owner, lock_taken_at = :now",
            ConditionExpression="attribute_not_exists(lock_owner) OR lock_owner = :holder",
            ExpressionAttributeValues=_pack({":owner": owner, ":now": _text(now), ":holder": holder}),
        )

    def _update_lock(self, **expressions: Any) -> bool:
        try:
            self._client.update_item(TableName=self._table, Key=_key(control_key(), CURRENT), **expressions)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def get(self, key: str, run_date: str) -> Values:
        """One item without its keys; empty if there is none. Consistent, because a lock depends on it."""
        response = self._client.get_item(TableName=self._table, Key=_key(key, run_date), ConsistentRead=True)
        values = _unpack(response.get("Item", {}))
        if run_date == CURRENT:
            # The sort key of CURRENT uses the name `run_date`, so the run's date has another name.
            values["run_date"] = values.get("current_run_date")
        return values

    def update(self, key: str, run_date: str, values: Mapping[str, Any], remove: tuple[str, ...] = ()) -> None:
        """Set and remove attributes of one item, creating it if it is absent."""
        names: dict[str, str] = {}
        packed: dict[str, Any] = {}
        for position, (name, value) in enumerate(values.items()):
            names[f"#v{position}"], packed[f":v{position}"] = _stored_name(name), value
        expression = ""
        if values:
            expression = "SET " + ", ".join(f"#v{position} = :v{position}" for position in range(len(values))) + " "
        if remove:
            names |= {f"#r{position}": _stored_name(name) for position, name in enumerate(remove)}
            expression += "REMOVE " + ", ".join(f"#r{position}" for position in range(len(remove)))
        given = {"ExpressionAttributeValues": _pack(packed)} if packed else {}
        self._client.update_item(
            TableName=self._table,
            Key=_key(key, run_date),
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            **given,
        )


def _stored_name(name: str) -> str:
    return "current_run_date" if name == "run_date" else name


def _key(key: str, run_date: str) -> dict[str, Any]:
    return _pack({"control_key": key, "run_date": run_date})


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _pack(values: Mapping[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(_plain(value)) for name, value in values.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _unpack(item: Mapping[str, Any]) -> Values:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}
