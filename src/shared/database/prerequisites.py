"""What the accrual needs of a restored database beside the platform's tables: rights, an extension, settings, room.

Since PostgreSQL 16 a master role that is no superuser may alter a role only with ADMIN option on it, and it may empty and
analyse only what it has the owner's rights of. Where somebody else made the roles or the tables, the master that came
with the snapshot is too weak. Everything that is wrong is found at once, each with the statement that mends it.
"""

from datetime import date
from math import ceil

from shared.database.connections import LAMBDA, Cursor

SCHEMA = "core"
SERVICE_ROLES = ("workflow", "meterdata", "lambda")
EXTENSION = "pg_prewarm"

# What the functions' role does with the platform's tables; sql/platform/900_roles.sql grants the same.
PRIVILEGES: dict[str, tuple[str, ...]] = {
    "insert": ("meter_read", "aggregated_read", "workflow_instance", "workflow_schedule", "workflow_exception"),
    "update": ("meter_read", "aggregated_read", "workflow_instance", "workflow_schedule", "workflow"),
    "delete": (
        "meter_read", "aggregated_read", "workflow_instance", "workflow_schedule", "workflow_exception", "invoice",
        "invoice_line_item", "invoice_line_item_month", "billable_quantity",
    ),
}  # fmt: skip

# Settings with which dates, intervals and transactions are what the SQL takes them for. A snapshot does not bring
# production's parameter group along, but what production has set for its database or its roles.
SETTINGS = {
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "session_replication_role": "origin",
}
# The same thing under another name.
SAME = {"TimeZone": ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu")}

# A row of utility_profile with its index takes 414 bytes, measured; each interval register has profile_days of them.
PROFILE_BYTES = 414
PROFILE_DAYS = 541
# Beside it: the write-ahead log between two checkpoints, scalars, reads, invoices, temporary files.
ROOM_FACTOR = 1.5
SPARE_GB = 20
GB = 1024**3


_ROLES = """
    select format('role %%I is missing: create role %%I login', r, r) from unnest(%(roles)s::text[]) r
    where to_regrole(quote_ident(r)) is null
    union all
    select format('%%I may not make or change roles: alter role %%I createrole', current_user, current_user)
    from pg_catalog.pg_roles where rolname = current_user and not rolcreaterole and not rolsuper
    union all
    select format('%%I may not change role %%I: grant %%I to %%I with admin option', current_user, r, r, current_user)
    from unnest(%(roles)s::text[]) r
    where to_regrole(quote_ident(r)) is not null and not pg_has_role(current_user, r, 'MEMBER WITH ADMIN OPTION')
"""

_OWNERS = """
    select format('%%I has not the rights of %%I, which owns %%s of schema %%I (such as %%I): grant %%I to %%I',
                  current_user, o.rolname, string_agg(distinct k.kind, ', '), %(schema)s, min(c.relname), o.rolname, current_user)
    from pg_catalog.pg_class c
    join pg_catalog.pg_roles o on o.oid = c.relowner
    cross join lateral (select case c.relkind when 'S' then 'sequences' else 'tables' end as kind) k
    where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = %(schema)s)
      and c.relkind in ('r', 'p', 'S') and not pg_has_role(current_user, c.relowner, 'USAGE')
    group by o.rolname
    union all
    select format('%%I does not own database %%I: alter database %%I owner to %%I',
                  current_user, d.datname, d.datname, current_user)
    from pg_catalog.pg_database d
    where d.datname = current_database() and not pg_has_role(current_user, d.datdba, 'USAGE')
"""

_EXTENSION = """
    select format('extension %%s is not on this server: restore into an engine version that has it', %(extension)s)
    where not exists (select from pg_catalog.pg_available_extensions where name = %(extension)s)
    union all
    select format('rds.allowed_extensions leaves %%s out: add it to `parameters` of terraform/anstead', %(extension)s)
    from (select nullif(current_setting('rds.allowed_extensions', true), '') as allowed) s
    where %(extension)s <> all (string_to_array(replace(s.allowed, ' ', ''), ',')) and s.allowed <> '*'
    union all
    select format('extension %%I is in schema %%I: alter extension %%I set schema public', e.extname, n.nspname, e.extname)
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    where e.extname = %(extension)s and n.nspname not in ('public', 'pg_catalog')
    union all
    select 'schema public is missing: create schema public'
    where not exists (select from pg_catalog.pg_namespace where nspname = 'public')
"""

_PRIVILEGES = """
    select format('%%I may not %%s %%s: grant %%s on %%s to %%I', %(role)s, p.privilege, t.tables, p.privilege, t.tables, %(role)s)
    from unnest(%(privileges)s::text[], %(tables)s::text[]) as p (privilege, tables)
    cross join lateral (
        select string_agg(format('%%I.%%I', n.nspname, c.relname), ', ' order by c.relname) as tables
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = %(schema)s
        where c.relname = any (string_to_array(p.tables, ' ')) and not has_table_privilege(%(role)s, c.oid, p.privilege)
    ) t
    where to_regrole(quote_ident(%(role)s)) is not null and t.tables is not null
    union all
    select format('%%I may not use schema %%I: grant usage on schema %%I to %%I', %(role)s, nspname, nspname, %(role)s)
    from pg_catalog.pg_namespace
    where nspname = %(schema)s and to_regrole(quote_ident(%(role)s)) is not null
      and not has_schema_privilege(%(role)s, oid, 'USAGE')
"""


def problems(cursor: Cursor, tables: tuple[str, ...]) -> list[str]:
    """What is wrong for the connected master role, each with the statement that mends it; tables are the contract's."""
    granted = {"select": tables, **PRIVILEGES}
    values = {
        "schema": SCHEMA, "roles": list(SERVICE_ROLES), "extension": EXTENSION, "role": LAMBDA,
        "privileges": list(granted), "tables": [" ".join(names) for names in granted.values()],
    }  # fmt: skip
    found: list[str] = []
    for query in (_ROLES, _OWNERS, _EXTENSION, _PRIVILEGES):
        cursor.execute(query, values)
        found += [row[0] for row in cursor.fetchall()]
    return [*found, *_settings(cursor)]


def _settings(cursor: Cursor) -> list[str]:
    cursor.execute(
        "select name, setting, source, current_database(), current_user from pg_catalog.pg_settings"
        " where lower(name) = any (%s) order by name",
        ([name.lower() for name in SETTINGS],),
    )
    wrong = []
    for name, setting, source, database, role in cursor.fetchall():
        wanted = SETTINGS[name]
        if setting in SAME.get(name, (wanted,)):
            continue
        mend = {
            "database": f'alter database "{database}" reset {name}',
            "user": f'alter role "{role}" reset {name}',
            "database user": f'alter role "{role}" in database "{database}" reset {name}',
        }.get(source, f'set {{ {name} = "{wanted}" }} in `parameters` of terraform/anstead')
        wrong.append(f"{name} is {setting}, not {wanted}: {mend}")
    return wrong


def room(cursor: Cursor, run_date: date, disk_gb: int) -> list[str]:
    """Whether the disk holds the database and what a run adds to it; disk_gb as RDS allocated it, in GiB."""
    cursor.execute(
        "select pg_database_size(current_database()), count(*) from core.meter_register"
        " where read_type = 'INTERVAL' and coalesce(end_date, 'infinity') >= %s::date - %s",
        (run_date, PROFILE_DAYS),
    )
    size, registers = cursor.fetchone() or (0, 0)
    added = registers * PROFILE_DAYS * PROFILE_BYTES * ROOM_FACTOR
    needed_gb = ceil((size + added) / GB) + SPARE_GB
    if needed_gb <= disk_gb:
        return []
    return [
        (
            f"the disk has {disk_gb} GB; the database takes {size / GB:.0f} and a run of {registers} interval registers adds "
            f"about {added / GB:.0f}: set allocated_storage_gb = {needed_gb} in terraform/anstead and restore again"
        )
    ]
