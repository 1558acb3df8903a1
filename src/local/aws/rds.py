"""What ministack 1.5.33 lacks of RDS: instances that are databases, snapshots that hold one, copying and sharing them.

ministack keeps the records of instances and snapshots. Here every record gets its PostgreSQL server or its backup, and
the rules around shared, encrypted snapshots are those of AWS: only by their ARN, only if shared, copied under a key of
one's own before anything can be restored from them.
"""

# ruff: noqa: SLF001 - ministack's internals are what is patched here

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ministack.core.concurrency import spawn_background  # type: ignore[import-untyped]
from ministack.core.responses import get_account_id, get_region  # type: ignore[import-untyped]
from ministack.services import rds  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from local.aws.patching import replaces
from local.aws.postgres import Backup, Server, private_directory
from local.aws.tls import Authority
from shared.errors import BuaError

Parameters = dict[str, list[str]]
Record = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

_log = logging.getLogger("local.aws.rds")


class Refused(BuaError):  # noqa: N818
    """RDS refuses; `code` is the name of AWS's error."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass
class Databases:
    """The PostgreSQL servers and backups behind the emulator's instances and snapshots, by ARN."""

    directory: Path
    authority: Authority
    servers: dict[str, Server] = field(default_factory=dict)
    backups: dict[str, Backup] = field(default_factory=dict)
    shared: dict[str, set[str]] = field(default_factory=dict)  # snapshot ARN -> accounts
    # ARNs that RDS refuses once more: snapshots shared a moment ago, instances that are at work after their creation.
    unsettled: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def __post_init__(self) -> None:
        self.directory = private_directory(self.directory)

    def _path(self, name: str) -> Path:
        """A directory that was never used: an instance may be deleted and created again under the same name."""
        with self._lock:
            self._count += 1
            return self.directory / f"{self._count:03d}-{name}"

    def create(self, instance: Record) -> None:
        """Give a new instance an empty database, owned by its master role."""
        server = Server.create(self._path(instance["DBInstanceIdentifier"]))
        self._start(server, instance)
        server.bootstrap(instance["MasterUsername"], instance["_MasterUserPassword"], instance["DBName"])

    def restore(self, instance: Record, snapshot: Record) -> None:
        """Give a new instance the contents of a snapshot."""
        backup = self.backups[snapshot["DBSnapshotArn"]]
        self._start(Server.copy_of(backup, self._path(instance["DBInstanceIdentifier"])), instance)

    def _start(self, server: Server, instance: Record) -> None:
        identifier, region = instance["DBInstanceIdentifier"], get_region()
        address = f"{identifier}.{instance['DbiResourceId'][3:15].lower()}.{region}.rds.amazonaws.com"
        server.start(self.authority.issue(address))
        instance["Endpoint"] = {"Address": address, "Port": server.port, "HostedZoneId": "Z32T0VRHXEXS0V"}
        with self._lock:
            self.servers[instance["DBInstanceArn"]] = server
        _log.info("database %s runs on port %s in %s", identifier, server.port, server.directory)

    def set_password(self, instance: Record, password: str) -> None:
        """Change the master role's password as RDS does, without knowing the old one."""
        self.servers[instance["DBInstanceArn"]].set_password(instance["MasterUsername"], password)

    def delete(self, arn: str) -> None:
        """Stop an instance's database and delete its files."""
        with self._lock:
            server = self.servers.pop(arn, None)
        if server:
            server.drop()

    def back_up(self, snapshot: Record, instance: Record) -> None:
        """Fill a snapshot with the current contents of its instance's database, then mark it available."""
        try:
            with self._lock:  # no one deletes the instance meanwhile
                server = self.servers[instance["DBInstanceArn"]]
                backup = server.backup(self._path(f"snapshot-{snapshot['DBSnapshotIdentifier']}"))
                self.backups[snapshot["DBSnapshotArn"]] = backup
        except Exception:  # noqa: BLE001 - whatever it was, it is a failed snapshot
            _log.exception("snapshot %s failed", snapshot["DBSnapshotIdentifier"])
            snapshot["Status"] = "failed"
        else:
            snapshot.update(Status="available", PercentProgress=100)

    def copy_snapshot(self, source: Record, target: Record) -> None:
        """Give a snapshot's copy its own files."""
        backup = self.backups[source["DBSnapshotArn"]]
        copy = backup.copy(self._path(f"snapshot-{target['DBSnapshotIdentifier']}"))
        self.backups[target["DBSnapshotArn"]] = copy

    def delete_snapshot(self, arn: str) -> None:
        self.shared.pop(arn, None)
        if backup := self.backups.pop(arn, None):
            backup.drop()

    def find_snapshot(self, reference: str) -> Record:
        """A snapshot of the caller's account by name or ARN, or a shared one by ARN; others are refused."""
        found: Record | None
        if reference.startswith("arn:"):
            _, _, _, region, owner, _, name = reference.split(":", 6)
            allowed = owner == get_account_id() or get_account_id() in self.shared.get(reference, ())
            found = rds._snapshots.get_scoped(owner, region, name) if allowed else None
        else:
            found = rds._snapshots.get(reference)
        if found is None:
            raise Refused("DBSnapshotNotFound", f"DBSnapshot {reference} not found.", 404)
        return found

    def refuse_once(self, arn: str, code: str, message: str) -> None:
        """Refuse what AWS would refuse for a moment: the first call after a change comes too early."""
        if arn in self.unsettled:
            self.unsettled.discard(arn)
            raise Refused(code, message, 404 if code.endswith("NotFound") else 400)

    def close(self) -> None:
        """Stop every database and delete everything."""
        with self._lock:
            for arn in list(self.servers):
                self.delete(arn)
            for arn in list(self.backups):
                self.delete_snapshot(arn)
        shutil.rmtree(self.directory, ignore_errors=True)


def _value(parameters: Parameters, name: str) -> str:
    value: str = rds._p(parameters, name)
    return value


def _owner(snapshot: Record) -> str:
    owner: str = snapshot["DBSnapshotArn"].split(":")[4]
    return owner


def _answer(action: str, body: str) -> Response:
    response: Response = rds._xml(200, f"{action}Response", f"<{action}Result>{body}</{action}Result>")
    return response


def _action(function: Callable[[Parameters], Response]) -> Callable[[Parameters], Response]:
    """Turn a refusal into AWS's error response."""

    def run(parameters: Parameters) -> Response:
        try:
            return function(parameters)
        except Refused as refusal:
            response: Response = rds._error(refusal.code, str(refusal), refusal.status)
            return response

    return run


def _require_available(snapshot: Record) -> None:
    if snapshot["Status"] != "available":
        raise Refused("InvalidDBSnapshotState", f"Snapshot {snapshot['DBSnapshotArn']} is {snapshot['Status']}.")


def _copy_of(source: Record, name: str, key: str) -> Record:
    arn = f"arn:aws:rds:{get_region()}:{get_account_id()}:snapshot:{name}"
    return source | {
        "DBSnapshotIdentifier": name, "DBSnapshotArn": arn, "KmsKeyId": key or source["KmsKeyId"],
        "Encrypted": bool(key) or source["Encrypted"], "StorageEncrypted": bool(key) or source["Encrypted"],
        "SourceDBSnapshotIdentifier": source["DBSnapshotArn"], "SnapshotType": "manual",
    }  # fmt: skip


class _SnapshotActions:
    """The actions of RDS's API on snapshots."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._describe_own: Callable[[Parameters], Response] = rds._ACTION_MAP["DescribeDBSnapshots"]
        self._delete_record: Callable[[Parameters], Response] = rds._ACTION_MAP["DeleteDBSnapshot"]

    def actions(self) -> dict[str, Callable[[Parameters], Response]]:
        return {
            "CopyDBSnapshot": self.copy, "DescribeDBSnapshots": self.describe, "DeleteDBSnapshot": self.delete,
            "ModifyDBSnapshotAttribute": self.modify_attribute, "DescribeDBSnapshotAttributes": self.describe_attributes,
        }  # fmt: skip

    def copy(self, parameters: Parameters) -> Response:
        reference = _value(parameters, "SourceDBSnapshotIdentifier")
        source = self._databases.find_snapshot(reference)
        if _owner(source) != get_account_id():
            self._databases.refuse_once(reference, "DBSnapshotNotFound", f"DBSnapshot {reference} not found.")
        name, key = _value(parameters, "TargetDBSnapshotIdentifier"), _value(parameters, "KmsKeyId")
        _require_available(source)
        if name in rds._snapshots:
            raise Refused("DBSnapshotAlreadyExists", f"Snapshot {name} already exists.")
        if _owner(source) != get_account_id() and source["Encrypted"] and not key:
            raise Refused("KMSKeyNotAccessibleFault", "A shared encrypted snapshot is copied under a key of your own.")
        target = _copy_of(source, name, key)
        self._databases.copy_snapshot(source, target)
        rds._snapshots[name] = target
        return _answer("CopyDBSnapshot", f"<DBSnapshot>{rds._snapshot_xml(target)}</DBSnapshot>")

    def modify_attribute(self, parameters: Parameters) -> Response:
        snapshot = self._databases.find_snapshot(_value(parameters, "DBSnapshotIdentifier"))
        accounts = self._databases.shared.setdefault(snapshot["DBSnapshotArn"], set())
        for name, values in parameters.items():
            if name.startswith("ValuesToAdd."):
                _require_own_key(snapshot)
                accounts.update(values)
                self._databases.unsettled.add(snapshot["DBSnapshotArn"])
            if name.startswith("ValuesToRemove."):
                accounts.difference_update(values)
        return _answer("ModifyDBSnapshotAttribute", self._attributes(snapshot))

    def describe_attributes(self, parameters: Parameters) -> Response:
        snapshot = self._databases.find_snapshot(_value(parameters, "DBSnapshotIdentifier"))
        return _answer("DescribeDBSnapshotAttributes", self._attributes(snapshot))

    def _attributes(self, snapshot: Record) -> str:
        accounts = sorted(self._databases.shared.get(snapshot["DBSnapshotArn"], ()))
        values = "".join(f"<AttributeValue>{account}</AttributeValue>" for account in accounts)
        return (
            "<DBSnapshotAttributesResult>"
            f"<DBSnapshotIdentifier>{snapshot['DBSnapshotIdentifier']}</DBSnapshotIdentifier><DBSnapshotAttributes>"
            f"<DBSnapshotAttribute><AttributeName>restore</AttributeName><AttributeValues>{values}</AttributeValues>"
            "</DBSnapshotAttribute></DBSnapshotAttributes></DBSnapshotAttributesResult>"
        )

    def describe(self, parameters: Parameters) -> Response:
        reference = _value(parameters, "DBSnapshotIdentifier")
        if reference.startswith("arn:"):
            found = [self._databases.find_snapshot(reference)]
        elif _value(parameters, "SnapshotType") == "shared":
            shared = self._databases.shared
            found = [self._databases.find_snapshot(arn) for arn in sorted(shared) if get_account_id() in shared[arn]]
        else:
            return self._describe_own(parameters)
        members = "".join(f"<DBSnapshot>{rds._snapshot_xml(snapshot)}</DBSnapshot>" for snapshot in found)
        return _answer("DescribeDBSnapshots", f"<DBSnapshots>{members}</DBSnapshots>")

    def delete(self, parameters: Parameters) -> Response:
        snapshot = self._databases.find_snapshot(_value(parameters, "DBSnapshotIdentifier"))
        _require_available(snapshot)
        response = self._delete_record(parameters)
        self._databases.delete_snapshot(snapshot["DBSnapshotArn"])
        return response


def _require_own_key(snapshot: Record) -> None:
    if snapshot["Encrypted"] and snapshot["KmsKeyId"] in ("", "alias/aws/rds"):
        raise Refused("InvalidParameterCombination", "A snapshot encrypted with the default RDS key cannot be shared.")


def _instance_actions(databases: Databases) -> dict[str, Callable[[Parameters], Response]]:
    create_record: Callable[[Parameters], Response] = rds._ACTION_MAP["CreateDBInstance"]
    delete_record: Callable[[Parameters], Response] = rds._ACTION_MAP["DeleteDBInstance"]
    modify_record: Callable[[Parameters], Response] = rds._ACTION_MAP["ModifyDBInstance"]

    def create(parameters: Parameters) -> Response:
        response = create_record(parameters)
        if response[0] == 200:
            databases.create(rds._instances[_value(parameters, "DBInstanceIdentifier")])
        return response

    def delete(parameters: Parameters) -> Response:
        instance = rds._instances.get(_value(parameters, "DBInstanceIdentifier"))
        response = delete_record(parameters)
        if response[0] == 200:
            databases.delete(instance["DBInstanceArn"])
        return response

    def modify(parameters: Parameters) -> Response:
        instance = rds._instances.get(_value(parameters, "DBInstanceIdentifier"))
        if instance:
            arn, name = instance["DBInstanceArn"], instance["DBInstanceIdentifier"]
            databases.refuse_once(arn, "InvalidDBInstanceState", f"Instance {name} is not currently available.")
        return modify_record(parameters)

    def restore(_parameters: Parameters) -> Response:
        raise Refused("InvalidAction", "The local stack restores through CloudFormation only.")

    return {
        "CreateDBInstance": create, "DeleteDBInstance": delete, "ModifyDBInstance": modify,
        "RestoreDBInstanceFromDBSnapshot": restore,
    }  # fmt: skip


def _restorable_snapshot(databases: Databases, properties: Record) -> Record:
    snapshot = databases.find_snapshot(properties["DBSnapshotIdentifier"])
    _require_available(snapshot)
    if _owner(snapshot) != get_account_id() and snapshot["Encrypted"]:
        raise Refused(
            "InvalidDBSnapshotState",
            f"{snapshot['DBSnapshotArn']} is shared and encrypted: copy it under a key of your own, restore the copy.",
        )
    for name in ("MasterUsername", "DBName", "KmsKeyId", "StorageEncrypted"):
        if name in properties:
            raise Refused("InvalidParameterCombination", f"{name} comes from the snapshot, it cannot be given.")
    return snapshot


_INHERITED = ("Engine", "EngineVersion", "MasterUsername", "DBName", "AllocatedStorage", "KmsKeyId")


def _patch_cloudformation(databases: Databases) -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::RDS::DBInstance"]
    create_record, delete_record = handlers["create"], handlers["delete"]

    def create(logical_id: str, properties: Record, stack_name: str) -> tuple[str, Record]:
        snapshot = None
        if "DBSnapshotIdentifier" in properties:
            snapshot = _restorable_snapshot(databases, properties)
            inherited = {name: snapshot[name] for name in _INHERITED}
            properties = inherited | {"StorageEncrypted": snapshot["Encrypted"]} | properties
        identifier, _ = create_record(logical_id, properties, stack_name)
        instance = rds._instances[identifier]
        if snapshot:
            databases.restore(instance, snapshot)
            databases.unsettled.add(instance["DBInstanceArn"])
        else:
            databases.create(instance)
        if password := properties.get("MasterUserPassword"):
            databases.set_password(instance, password)
        return identifier, provisioners._rds_db_instance_attrs(instance)

    def delete(physical_id: str, properties: Record) -> None:
        instance = rds._instances.get(physical_id)
        delete_record(physical_id, properties)
        if instance:
            databases.delete(instance["DBInstanceArn"])

    handlers.update(create=create, delete=delete)


def install(databases: Databases) -> None:
    """Connect the databases with ministack's RDS and CloudFormation."""
    create_snapshot = rds._create_snapshot_internal

    @replaces(rds, "_create_snapshot_internal")
    def _create_snapshot(name: str, instance: Record) -> Record:
        snapshot: Record = create_snapshot(name, instance)
        snapshot.update(Status="creating", PercentProgress=0)
        spawn_background(databases.back_up, snapshot, instance, thread_name=f"snapshot-{name}")
        return snapshot

    @replaces(rds, "_rotate_instance_password")
    def _rotate(instance: Record, _old: str, new: str) -> None:
        databases.set_password(instance, new)

    @replaces(rds, "_get_docker")
    def _no_docker() -> None:
        """Use the embedded databases even if Docker is installed."""

    for name, function in {**_SnapshotActions(databases).actions(), **_instance_actions(databases)}.items():
        rds._ACTION_MAP[name] = _action(function)
    _patch_cloudformation(databases)
