"""Waiting for the workflow engine: its tables as they stand, in a real PostgreSQL."""

import json
from datetime import date
from types import SimpleNamespace

import psycopg2
import pytest

from shared.aws.cluster import Deployment
from shared.errors import ContractBroken, NobodyServes, NotReady, WorkflowsFailed
from shared.steps import actions, scaling

RUN_DATE = date(2026, 11, 1)


@pytest.fixture
def replicas(monkeypatch) -> dict[str, int]:
    """Replicas asked for, by deployment; the Kubernetes API behind it is tested in test_scaling."""
    replicas = {"workflow": 1, "meterdata": 1}
    cluster = SimpleNamespace(
        deployment=lambda _namespace, name, _now: Deployment(replicas[name], replicas[name], replicas[name])
    )
    monkeypatch.setattr(scaling, "_cluster", lambda _context: cluster)
    return replicas


@pytest.fixture
def engine(platform_database, database, replicas):
    database.dsn_of = platform_database.dsn_of

    def instances(*rows: tuple[str, str], run_date: date = RUN_DATE) -> None:
        with platform_database.connect() as connection, connection.cursor() as cursor:
            for name, state in rows:
                cursor.execute(
                    "insert into core.workflow_instance (workflow_name, state, run_date) values (%s, %s, %s)"
                    " returning workflow_instance_id",
                    (name, state, run_date),
                )
                if state == "FAILED":
                    cursor.execute(
                        "insert into core.workflow_exception (workflow_instance_id, message) values (%s, 'no plan row')",
                        cursor.fetchone(),
                    )
            connection.commit()

    return instances


def do(context, action: str, *workflows: str):
    return actions.perform(context, {"action": action, "run_date": "2026-11-01", "workflows": list(workflows)})


class TestWaiting:
    @pytest.mark.parametrize("state", ["READY", "RUNNING"])
    def test_goes_on_while_one_is_not_finished(self, context, engine, state):
        engine(("INVOICEGEN", "COMPLETE"), ("INVOICEGEN", state))
        with pytest.raises(NotReady, match="1 of 2 instances of INVOICEGEN are not finished"):
            do(context, "workflow.wait", "INVOICEGEN")

    def test_ends_when_all_are_finished_whatever_came_of_them(self, context, engine):
        engine(("INVOICEGEN", "COMPLETE"), ("INVOICEGEN", "FAILED"), ("WARM_INDEX", "READY"))
        assert do(context, "workflow.wait", "INVOICEGEN") == {"instances": {"COMPLETE": 1, "FAILED": 1}}

    def test_sees_only_its_own_run(self, context, engine):
        engine(("INVOICEGEN", "RUNNING"), run_date=date(2026, 10, 1))
        assert do(context, "workflow.wait", "INVOICEGEN") == {"instances": {}}

    @pytest.mark.parametrize(("name", "service"), [("LOAD_NEM12", "meterdata"), ("IMPORT_NEM12", "workflow")])
    def test_for_nobody_is_refused(self, context, engine, replicas, name, service):
        engine(("LOAD_NEM12", "COMPLETE"), (name, "READY"))
        replicas[service] = 0
        with pytest.raises(NobodyServes, match=f"run the step scaleup-{service}"):
            do(context, "workflow.wait", "LOAD_NEM12", "IMPORT_NEM12")

    @pytest.mark.usefixtures("engine")
    def test_schedules(self, context, platform_database):
        with platform_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "insert into core.workflow_schedule (workflow_name, run_date, executed_at, is_enabled) values"
                " ('GENERATE_ILI', '2026-11-01', now(), true), ('GENERATE_ILI', '2026-11-01', null, true),"
                " ('GENERATE_ILI', '2026-11-01', null, false), ('GENERATE_ILI', '2026-10-01', null, true)"
            )
            connection.commit()
            with pytest.raises(NotReady, match="1 of 2 schedules"):
                do(context, "workflow.wait_for_schedules", "GENERATE_ILI")
            cursor.execute("update core.workflow_schedule set executed_at = now()")
            connection.commit()
        assert do(context, "workflow.wait_for_schedules", "GENERATE_ILI") == {"schedules": 2}


class TestResubmitting:
    def test_makes_failed_instances_ready_once_more(self, context, engine):
        engine(("INVOICEGEN", "FAILED"), ("INVOICEGEN", "COMPLETE"), ("RUN_INVOICE_BATCH", "FAILED"))
        assert do(context, "workflow.resubmit", "INVOICEGEN") == {"resubmitted": 1}
        with pytest.raises(NotReady):
            do(context, "workflow.wait", "INVOICEGEN")
        with pytest.raises(WorkflowsFailed):
            do(context, "workflow.check", "RUN_INVOICE_BATCH")

    def test_nothing_failed_nothing_to_do(self, context, engine):
        engine(("INVOICEGEN", "COMPLETE"))
        assert do(context, "workflow.resubmit", "INVOICEGEN") == {"resubmitted": 0}
        assert do(context, "workflow.check", "INVOICEGEN") == {"instances": {"COMPLETE": 1}}

    @pytest.mark.parametrize(
        ("payload", "parts"),
        [
            ('"accounts": [{"account_id": "A", "windows": []}, {"account_id": "B", "windows": [1]}]',
             ['"accounts": [{"account_id": "A", "windows": []}]', '"accounts": [{"account_id": "B", "windows": [1]}]']),
            ('"keys": ["S.csv", "T.csv"]', ['"keys": ["S.csv"]', '"keys": ["T.csv"]']),
            ('"reads": [{"nmi": "T", "suffix": "E1"}, {"nmi": "S", "suffix": "E1"}, {"nmi": "T", "suffix": "B1"}]',
             ['"reads": [{"nmi": "S", "suffix": "E1"}]', '"reads": [{"nmi": "T", "suffix": "E1"}, {"nmi": "T", "suffix": "B1"}]']),
            ('"relation": "core.plan"', ['"relation": "core.plan"']),
            ('"accounts": []', ['"accounts": []']),
        ],
        ids=["accounts", "files", "reads", "relation", "nothing"],
    )  # fmt: skip
    def test_every_item_is_on_its_own_then(self, context, engine, platform_database, payload, parts):
        engine(("INVOICEGEN", "FAILED"), ("INVOICEGEN", "COMPLETE"))
        with platform_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("update core.workflow_instance set payload = %s", (f'{{"bucket": "b", {payload}}}',))
            connection.commit()
            do(context, "workflow.resubmit", "INVOICEGEN")
            cursor.execute(
                "select payload from core.workflow_instance"
                " where workflow_name = 'INVOICEGEN' and state = 'READY' and run_date = %s order by workflow_instance_id",
                (RUN_DATE,),
            )
            assert cursor.fetchall() == [(json.loads(f'{{"bucket": "b", {part}}}'),) for part in parts]


class TestChecking:
    """A thousand accounts in instances of 100; the last of them failed, or some of them alone."""

    def failed(self, platform_database, engine, accounts: int) -> None:
        engine(*[("INVOICEGEN", "COMPLETE")] * 10, *[("INVOICEGEN", "FAILED")] * accounts)
        with platform_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "update core.workflow_instance set payload = jsonb_build_object('accounts', (select jsonb_agg("
                "jsonb_build_object('account_id', n)) from generate_series(1, case state when 'FAILED' then 1 else 99 end) n))"
            )
            connection.commit()

    def check(self, context, **tolerance: float):
        return actions.perform(
            context,
            {
                "action": "workflow.check",
                "run_date": "2026-11-01",
                "workflows": ["INVOICEGEN", "GENERATE_ILI"],
                **tolerance,
            },
        )

    def test_ten_accounts_of_a_thousand_may_fail(self, context, engine, platform_database):
        self.failed(platform_database, engine, 10)
        assert self.check(context, max_errors=0, acceptable_error_rate=0.01) == {
            "instances": {"COMPLETE": 10, "FAILED": 10},
            "failed": ["10 of 1000 items of INVOICEGEN"],
        }

    def test_eleven_may_not(self, context, engine, platform_database):
        self.failed(platform_database, engine, 11)
        with pytest.raises(
            WorkflowsFailed, match=r"11 of 1001 items of INVOICEGEN failed; the limit is 10 or 1.00%.*no plan row"
        ):
            self.check(context, max_errors=10, acceptable_error_rate=0.01)

    def test_a_failed_instance_counts_all_its_accounts(self, context, engine, platform_database):
        self.failed(platform_database, engine, 1)
        with platform_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "update core.workflow_instance set payload = jsonb_build_object('accounts', jsonb_build_array(1, 2, 3))"
                " where state = 'FAILED'"
            )
            connection.commit()
        with pytest.raises(WorkflowsFailed, match="3 of 993 items of INVOICEGEN failed"):
            self.check(context, max_errors=2)


class TestRestoredDatabase:
    def run(self, context, action: str):
        return actions.perform(context, {"action": f"restore.{action}", "run_date": "2026-11-01"})

    @pytest.fixture(autouse=True)
    def _instance(self, context):
        context.client("rds").create_db_instance(
            DBInstanceIdentifier="tst-anstead-14-bua-sql", Engine="postgres", DBInstanceClass="db.r7g.large",
            MasterUsername="core_admin", MasterUserPassword="password", AllocatedStorage=50,
        )  # fmt: skip

    @pytest.mark.usefixtures("engine")
    def test_the_platform_s_own_schema_keeps_the_contract(self, context):
        assert self.run(context, "check_contract")["tables"] == 24

    @pytest.mark.usefixtures("engine")
    def test_what_is_missing_is_named(self, context, platform_database):
        with platform_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("alter table core.site rename column node to tni")
            cursor.execute("alter table core.account alter column billing_days type bigint")
            cursor.execute("drop table core.gas_volume")
            connection.commit()
        with pytest.raises(ContractBroken) as caught:
            self.run(context, "check_contract")
        assert "column core.site.node is missing" in str(caught.value)
        assert "column core.account.billing_days is bigint, not integer" in str(caught.value)
        assert "table core.gas_volume is missing" in str(caught.value)

    def test_schedules_are_disabled_and_the_engine_is_emptied(self, context, engine, platform_database):
        engine(("INVOICEGEN", "FAILED"), ("INVOICEGEN", "READY"))
        with platform_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("insert into core.workflow_schedule (workflow_name) values ('INVOICEGEN')")
            cursor.execute("insert into core.event_log (message) values ('hello')")
            connection.commit()
        assert self.run(context, "disable_schedules") == {"disabled": 1}
        self.run(context, "truncate_workflow")
        with platform_database.connect() as connection, connection.cursor() as cursor:
            for table in ("workflow_instance", "workflow_exception", "event_log"):
                cursor.execute(f"select count(*) from core.{table}")
                assert cursor.fetchone() == (0,)

    @pytest.mark.usefixtures("engine")
    def test_users_get_new_passwords_that_only_secrets_manager_knows(self, context, platform_database):
        try:
            self.run(context, "set_passwords")
            for role in ("workflow", "meterdata", "lambda"):
                secret = context.client("secretsmanager").get_secret_value(SecretId=f"tst-anstead-bua-db-{role}")
                login = json.loads(secret["SecretString"])
                assert login["username"] == role
                dsn = platform_database.dsn_of(role)
                with pytest.raises(psycopg2.OperationalError):
                    psycopg2.connect(dsn)
                psycopg2.connect(dsn, password=login["password"]).close()
        finally:  # roles belong to the server, which other tests share
            with platform_database.connect() as connection, connection.cursor() as cursor:
                for role in ("workflow", "meterdata", "lambda"):
                    cursor.execute(f"alter role {role} password 'test'")
                connection.commit()
