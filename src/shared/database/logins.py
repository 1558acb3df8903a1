"""Closes the restored copy to everyone who could log in to production, but the accrual's own roles.

Their passwords came along with the snapshot. Who owns a database decides who may connect to it, whatever the roles are, so
that no right over the roles themselves is needed. pg_hba.conf is RDS's own.
"""

from psycopg2 import sql

from shared.database.connections import ADMIN, Cursor
from shared.database.prerequisites import SERVICE_ROLES
from shared.errors import ContractBroken

KEPT = (ADMIN, *SERVICE_ROLES)


def close(cursor: Cursor) -> dict[str, list[str]]:
    """Let only the accrual's roles connect; returns which databases were closed and which logins were taken away.

    Raises ContractBroken naming the logins that stay open, with the statement that closes them in production.
    """
    cursor.execute(
        "select datname from pg_catalog.pg_database where datallowconn and pg_has_role(current_user, datdba, 'USAGE') order by 1"
    )
    databases = [name for (name,) in cursor.fetchall()]
    for name in databases:
        _close_database(cursor, name)
    disabled = [role for role, may_change in _open_logins(cursor) if may_change]
    for role in disabled:
        cursor.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(role)))
    if left := [role for role, _ in _open_logins(cursor)]:
        statements = "; ".join(f'grant "{role}" to {ADMIN} with admin option' for role in left)
        raise ContractBroken(
            f"{', '.join(left)} can still log in to the restored copy with production's password: {statements}"
        )
    return {"databases": databases, "disabled": disabled}


def _close_database(cursor: Cursor, name: str) -> None:
    cursor.execute(
        "select distinct r.rolname from pg_catalog.pg_database d"
        " cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a"
        " join pg_catalog.pg_roles r on r.oid = a.grantee"
        " where d.datname = %s and a.privilege_type = 'CONNECT' and r.rolname <> all (%s) and not r.rolsuper",
        (name, list(KEPT)),
    )
    others = [sql.SQL("public"), *(sql.Identifier(role) for (role,) in cursor.fetchall())]
    database = sql.Identifier(name)
    cursor.execute(
        sql.SQL("revoke connect on database {} from {} cascade").format(database, sql.SQL(", ").join(others))
    )
    kept = sql.SQL(", ").join(map(sql.Identifier, KEPT))
    cursor.execute(sql.SQL("grant connect on database {} to {}").format(database, kept))


def _open_logins(cursor: Cursor) -> list[tuple[str, bool]]:
    """Logins that may still connect here, as members of a role that may; and whether we may change them."""
    cursor.execute(
        "select rolname, pg_has_role(current_user, oid, 'MEMBER WITH ADMIN OPTION') from pg_catalog.pg_roles"
        " where rolcanlogin and not rolsuper and rolname <> all (%s) and rolname <> current_user"
        " and has_database_privilege(oid, current_database(), 'CONNECT') order by 1",
        (list(KEPT),),
    )
    return list(cursor.fetchall())
