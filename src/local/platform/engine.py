"""The platform's workflow engine: services take READY instances from core.workflow_instance and execute them.

Both services of the local reference platform run on this loop. An instance is claimed in a transaction of its own
(RUNNING, visible to everyone). Its handler's work and its COMPLETE are one transaction, so that a workflow is done
completely or not at all. While an instance runs, its worker holds an advisory lock on it. An instance that is RUNNING
without a lock was abandoned (its process was scaled down or killed) and is put back to READY.
"""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg2
import psycopg2.extensions

Connection = psycopg2.extensions.connection

log = logging.getLogger("platform")

ADVISORY_CLASS = 0x57464C  # "WFL": separates these locks from all others
RECONNECT_SECONDS = 1.0
ABANDONED_CHECK_SECONDS = 5.0


@dataclass(frozen=True)
class Instance:
    """One row of core.workflow_instance, as its handler sees it."""

    instance_id: int
    workflow_name: str
    payload: dict[str, Any]
    run_date: date | None
    attempts: int


# Does one instance's work in the transaction that is open on the connection, and neither commits nor rolls back.
Handler = Callable[[Connection, dict[str, Any], Instance], None]


def connect() -> Connection:
    """Connect as the service's own role, from DATABASE_HOST, _PORT, _NAME, _USER and _PASSWORD.

    libpq's own variables (PGSSLMODE, PGSSLROOTCERT, PGHOSTADDR) say how the server is verified.
    """
    return psycopg2.connect(
        host=os.environ["DATABASE_HOST"],
        port=os.environ["DATABASE_PORT"],
        dbname=os.environ["DATABASE_NAME"],
        user=os.environ["DATABASE_USER"],
        password=os.environ["DATABASE_PASSWORD"],
        connect_timeout=10,
    )


def claim(connection: Connection, names: list[str]) -> Instance | None:
    """Take the most urgent READY instance of these workflows, or nothing; commits."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            update core.workflow_instance
               set state = 'RUNNING', attempts = attempts + 1, started_at = clock_timestamp(), finished_at = null
             where workflow_instance_id = (
                   select i.workflow_instance_id
                     from core.workflow_instance i
                     join core.workflow w using (workflow_name)
                    where i.state = 'READY' and i.workflow_name = any(%s)
                    order by w.priority, i.workflow_instance_id
                    limit 1
                      for update of i skip locked)
            returning workflow_instance_id, workflow_name, payload, run_date, attempts
            """,
            (names,),
        )
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute("select pg_advisory_lock(%s, %s)", (ADVISORY_CLASS, row[0]))
        return Instance(*row)


def requeue_abandoned(connection: Connection, names: list[str]) -> int:
    """Put instances that are RUNNING without a living worker back to READY; returns how many; commits."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select workflow_instance_id from core.workflow_instance where state = 'RUNNING' and workflow_name = any(%s)",
            (names,),
        )
        running = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            """
            update core.workflow_instance i
               set state = 'READY'
              from (select id from unnest(%s::bigint[]) id where pg_try_advisory_xact_lock(%s, id::integer)) abandoned
             where i.workflow_instance_id = abandoned.id and i.state = 'RUNNING'
            """,
            (running, ADVISORY_CLASS),
        )
        return cursor.rowcount


def raise_instance(
    connection: Connection, workflow_name: str, payload: Mapping[str, Any], run_date: date | None
) -> None:
    """Insert a READY instance in the transaction that is open on the connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into core.workflow_instance (workflow_name, payload, run_date) values (%s, %s, %s)",
            (workflow_name, json.dumps(payload), run_date),
        )


def execute(connection: Connection, handler: Handler, instance: Instance) -> bool:
    """Run a claimed instance to COMPLETE or FAILED; returns whether it completed.

    A failure is recorded in core.workflow_exception with the error's message. A connection that breaks raises, and the
    instance is later found abandoned.
    """
    try:
        with connection:
            handler(connection, instance.payload, instance)
            _finish(connection, instance, "COMPLETE")
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        if connection.closed:
            raise
        log.exception("%s %s failed", instance.workflow_name, instance.instance_id)
        return _fail(connection, instance, "the database cancelled it, see the service's log for the reason")
    except Exception as error:
        log.exception("%s %s failed", instance.workflow_name, instance.instance_id)
        return _fail(connection, instance, f"{type(error).__name__}: {error}")
    _unlock(connection, instance)
    return True


def work_once(connection: Connection, handlers: Mapping[str, Handler]) -> bool:
    """Claim and execute one instance; returns whether there was one."""
    instance = claim(connection, sorted(handlers))
    if instance is None:
        return False
    completed = execute(connection, handlers[instance.workflow_name], instance)
    log.info("%s %s %s", instance.workflow_name, instance.instance_id, "COMPLETE" if completed else "FAILED")
    return True


def serve(
    handlers: Mapping[str, Handler],
    *,
    on_poll: Callable[[Connection], None] | None = None,
    workers: int = 1,
    poll_seconds: float = 0.2,
) -> None:
    """Work until SIGTERM or SIGINT; finish the current instance first.

    on_poll runs before every poll, in a transaction of its own, on the first worker only.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [
        threading.Thread(
            target=run_worker,
            args=(handlers, stop),
            kwargs={"on_poll": on_poll if index == 0 else None, "poll_seconds": poll_seconds},
            name=f"worker-{index}",
        )
        for index in range(workers)
    ]
    log.info("serving %s with %s worker(s)", ", ".join(sorted(handlers)), workers)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.info("stopped")


def run_worker(
    handlers: Mapping[str, Handler],
    stop: threading.Event,
    *,
    on_poll: Callable[[Connection], None] | None = None,
    poll_seconds: float = 0.2,
) -> None:
    """Claim and execute until told to stop; connects again when the connection is lost."""
    while not stop.is_set():
        try:
            connection = connect()
            try:
                _poll(connection, handlers, stop, on_poll, poll_seconds)
            finally:
                connection.close()
        except psycopg2.Error as error:
            log.warning("database: %s", str(error).strip())
            stop.wait(RECONNECT_SECONDS)


def _poll(
    connection: Connection,
    handlers: Mapping[str, Handler],
    stop: threading.Event,
    on_poll: Callable[[Connection], None] | None,
    poll_seconds: float,
) -> None:
    next_check = 0.0
    while not stop.is_set():
        if on_poll is not None:
            with connection:
                on_poll(connection)
        if work_once(connection, handlers):
            continue
        if time.monotonic() >= next_check:
            next_check = time.monotonic() + ABANDONED_CHECK_SECONDS
            if abandoned := requeue_abandoned(connection, sorted(handlers)):
                log.warning("%s abandoned instance(s) put back to READY", abandoned)
                continue
        stop.wait(poll_seconds)


def _finish(connection: Connection, instance: Instance, state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update core.workflow_instance set state = %s, finished_at = clock_timestamp() where workflow_instance_id = %s",
            (state, instance.instance_id),
        )


def _fail(connection: Connection, instance: Instance, message: str) -> bool:
    with connection, connection.cursor() as cursor:
        _finish(connection, instance, "FAILED")
        cursor.execute(
            "insert into core.workflow_exception (workflow_instance_id, message) values (%s, %s)",
            (instance.instance_id, message),
        )
    _unlock(connection, instance)
    return False


def _unlock(connection: Connection, instance: Instance) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_unlock(%s, %s)", (ADVISORY_CLASS, instance.instance_id))
