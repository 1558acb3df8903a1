"""Run date, lock, ledger: what begins and ends runs and steps."""

import json
from datetime import date

import pytest

from shared import catalogue
from shared.context import Context
from shared.errors import InvalidInput, NoCurrentRun, PeriodRefused, RunDateRefused, RunInProgress
from shared.ledger import control_key
from shared.steps import actions, control

RUN_DATE = date(2026, 11, 1)
EXPORT = {
    "arn": "arn:aws:dynamodb:ap-southeast-2:111111111111:table/tst-earl-ddb-interval/export/0179-abc",
    "bucket": "tst-earl-s3-bua-interval-export", "prefix": "2026-11-01", "moment": "2026-10-31T13:00:12.345Z",
}  # fmt: skip
SNAPSHOT = "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-2026-11-01-shared"


def begin_run(context: Context, execution: str = "exec:run", **given):
    return actions.perform(context, {"action": "run.begin", "execution": execution, "input": given})


def begin_step(context: Context, step: str, execution: str = "exec:step", **given):
    return actions.perform(context, {"action": "step.begin", "step": step, "execution": execution, "input": given})


def end_step(context: Context, step: str, execution: str = "exec:step", **failure):
    action = "step.fail" if failure else "step.finish"
    event = {"action": action, "step": step, "execution": execution, "run_date": "2026-11-01", **failure}
    return actions.perform(context, event)


def end_run(context: Context, execution: str = "exec:run"):
    return actions.perform(context, {"action": "run.finish", "execution": execution, "run_date": "2026-11-01"})


def test_keys_read_like_the_document():
    assert control_key("restore") == "BUA Restore"
    assert control_key("reset-basicreads") == "BUA Reset Basicreads"
    assert control_key("bua") == control_key() == "BUA"


class TestRun:
    def test_fixes_the_date_and_hands_it_on(self, context):
        begun = begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT, max_errors=3)
        assert begun["run_date"] == "2026-11-01"
        assert begun["steps"][0] == "restore"
        assert begun["steps"][-1] == "terminate"
        assert len(begun["steps"]) == 13
        assert begun["step_input"] == {
            "run_date": "2026-11-01", "lock_owner": "exec:run", "force": False, "max_errors": 3,
        }  # fmt: skip
        run = context.ledger.run(RUN_DATE)
        assert (run["state"], run["snapshot_arn"]) == ("RUNNING", SNAPSHOT)
        assert context.ledger.current().run_date == RUN_DATE

    def test_two_at_once_are_refused(self, context, states):
        states.running.add("exec:run")
        begin_run(context, run_date="2026-11-01")
        with pytest.raises(RunInProgress, match="exec:run is running"):
            begin_run(context, "exec:other", run_date="2026-12-01")
        assert context.ledger.current().run_date == RUN_DATE

    def test_a_snapshot_that_is_announced_while_another_is_at_work_is_remembered(self, context, states):
        states.running.add("exec:run")
        begin_run(context, run_date="2026-11-01")
        with pytest.raises(RunInProgress):
            begin_run(context, "exec:announced", run_date="2026-12-01", snapshot_arn=SNAPSHOT)
        assert context.ledger.run(date(2026, 12, 1))["snapshot_arn"] == SNAPSHOT

    def test_the_export_that_belongs_to_the_snapshot_is_recorded_and_kept(self, context):
        begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT, interval_export=EXPORT)
        assert context.ledger.run(RUN_DATE)["interval_export"] == EXPORT
        end_run(context)
        begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT)
        assert context.ledger.run(RUN_DATE)["interval_export"] == EXPORT

    def test_an_export_does_not_outlive_its_snapshot(self, context):
        begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT, interval_export=EXPORT)
        end_run(context)
        begin_run(context, run_date="2026-11-01", snapshot_arn=f"{SNAPSHOT}-again")
        run = context.ledger.run(RUN_DATE)
        assert "interval_export" not in run
        assert run["no_interval_export"] == "no export was announced with the snapshot"

    def test_why_there_is_no_export_is_recorded(self, context):
        begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT, interval_export=EXPORT)
        end_run(context)
        begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT, no_interval_export="no recovery")
        run = context.ledger.run(RUN_DATE)
        assert ("interval_export" in run, run["no_interval_export"]) == (False, "no recovery")

    def test_the_live_table_is_chosen_where_the_run_is_restored_and_only_for_that_time(self, context):
        begin_run(context, run_date="2026-11-01", live_intervals=True)
        end_run(context)
        with pytest.raises(InvalidInput, match="start at restore"):
            begin_run(context, start_at="segments", live_intervals=True)
        begin_run(context, start_at="segments")
        assert context.ledger.run(RUN_DATE)["live_intervals"] is True
        end_run(context)
        with pytest.raises(InvalidInput, match="start at restore"):
            begin_step(context, "segments", live_intervals=True)
        begin_run(context, run_date="2026-11-01")
        begin_step(context, "restore", lock_owner="exec:run")
        assert context.ledger.run(RUN_DATE)["live_intervals"] is False

    def test_the_lock_of_an_execution_that_has_ended_is_taken_over(self, context, states):
        states.running.add("exec:run")
        begin_run(context, run_date="2026-11-01")
        states.running.remove("exec:run")
        begin_run(context, "exec:other", run_date="2026-11-01")
        assert context.ledger.current().lock_owner == "exec:other"

    def test_a_retried_beginning_keeps_its_own_lock(self, context):
        begin_run(context, run_date="2026-11-01")
        begin_run(context, run_date="2026-11-01")
        assert context.ledger.current().lock_owner == "exec:run"

    def test_finishing_releases_and_records(self, context):
        begin_run(context, run_date="2026-11-01")
        end_run(context)
        assert context.ledger.current().lock_owner is None
        assert context.ledger.run(RUN_DATE)["state"] == "SUCCEEDED"

    def test_failing_records_error_and_cause_as_a_person_reads_them(self, context):
        begin_run(context, run_date="2026-11-01")
        cause = '{"errorType": "NotReady", "errorMessage": "stack is CREATE_IN_PROGRESS", "stackTrace": []}'
        child = json.dumps({"Error": "NotReady", "Cause": cause, "Status": "FAILED"})
        failed = actions.perform(
            context,
            {
                "action": "run.fail",
                "execution": "exec:run",
                "run_date": "2026-11-01",
                "error": "States.TaskFailed",
                "cause": child,
            },
        )
        assert failed == {"error": "NotReady", "cause": "stack is CREATE_IN_PROGRESS"}
        assert context.ledger.run(RUN_DATE)["cause"] == "stack is CREATE_IN_PROGRESS"
        assert context.ledger.current().lock_owner is None

    def test_a_new_month_begins_where_a_database_is_restored_and_forgets_the_old_address(self, context):
        begin_run(context, run_date="2026-10-01")
        context.ledger.set_current({"db_host": "old", "db_port": 5432})
        end_run(context)
        with pytest.raises(RunDateRefused):
            begin_run(context, run_date="2026-11-01", start_at="segments")
        assert context.ledger.current().lock_owner is None
        begin_run(context, run_date="2026-11-01")
        with pytest.raises(NoCurrentRun, match="no database"):
            context.ledger.current().database_address()

    def test_forced_onto_the_current_database_it_keeps_it(self, context):
        begin_run(context, run_date="2026-10-01")
        context.ledger.set_current({"db_host": "db", "db_port": 5432})
        end_run(context)
        begin_run(context, run_date="2026-11-01", start_at="segments", force=True)
        assert context.ledger.current().database_address() == ("db", 5432)

    def test_without_a_date_it_goes_on_with_the_current_run(self, context):
        with pytest.raises(NoCurrentRun):
            begin_run(context)
        begin_run(context, run_date="2026-11-01")
        end_run(context)
        assert begin_run(context, start_at="nem12")["run_date"] == "2026-11-01"

    def test_a_misspelt_input_is_refused(self, context):
        with pytest.raises(InvalidInput, match="start_from"):
            begin_run(context, run_date="2026-11-01", start_from="nem12")

    def test_the_consoles_own_comment_is_not(self, context):
        begin_run(context, run_date="2026-11-01", Comment="Insert your JSON here")


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"start_at": "c"}, ("c", "d")),
        ({"stop_after": "b"}, ("a", "b")),
        ({"start_at": "b", "stop_after": "b"}, ("b",)),
        ({"skip": ("b", "d")}, ("a", "c")),
    ],
)
def test_choosing_steps(given, steps):
    given = {"start_at": None, "stop_after": None, "skip": (), **given}
    assert control.choose_steps(dict.fromkeys("abcd", ()), **given) == steps


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"start_at": "nem12", "stop_after": "nem12"}, ("scaleup-workflow", "scaleup-meterdata", "nem12")),
        ({"start_at": "invoiceruns", "stop_after": "invoiceruns"}, ("scaleup-workflow", "invoiceruns")),
        ({"start_at": "invoiceruns", "stop_after": "invoiceruns", "skip": ("scaleup-workflow",)}, ("invoiceruns",)),
        ({"start_at": "export", "stop_after": "export"}, ("export",)),
        ({"start_at": "segments", "stop_after": "microscalar"}, ("segments", "microscalar")),
    ],
)
def test_the_scale_ups_that_steps_need_come_along(given, steps):
    given = {"start_at": None, "stop_after": None, "skip": (), **given}
    assert control.choose_steps(catalogue.load().pipeline(), **given) == steps


@pytest.mark.parametrize(("start", "stop", "skip"), [("x", None, ()), ("c", "b", ()), ("a", "a", ("a",))])
def test_choosing_no_steps_or_unknown_ones(start, stop, skip):
    with pytest.raises(InvalidInput):
        control.choose_steps(dict.fromkeys("abc", ()), start, stop, skip)


class TestPeriod:
    """FROM, TO and AS_AT, as given in the console."""

    def period(self, context):
        return tuple(context.ledger.run(RUN_DATE)[name] for name in ("from_date", "to_date", "as_at"))

    def test_by_default_it_is_the_twelve_months_to_the_first(self, context):
        begin_run(context, run_date="2026-11-01")
        assert self.period(context) == ("2025-11-01", "2026-10-31", "2026-10-31")

    def test_a_chosen_one_is_recorded_and_stays_with_the_run(self, context):
        begin_run(context, run_date="2026-11-01", from_date="2026-04-01", to_date="2026-09-30", as_at="2026-10-07")
        end_run(context)
        begin_run(context, start_at="nem12")
        end_run(context)
        begin_run(context, run_date="2026-11-01")
        end_run(context)
        begin_step(context, "export", from_date="2026-04-01")
        assert self.period(context) == ("2026-04-01", "2026-09-30", "2026-10-07")

    def test_what_is_recorded_beforehand_counts_for_an_announced_run(self, context):
        context.ledger.set_run(RUN_DATE, {"from_date": "2026-10-01", "to_date": "2026-10-31", "as_at": "2026-10-31"})
        begin_run(context, run_date="2026-11-01", snapshot_arn=SNAPSHOT)
        assert self.period(context) == ("2026-10-01", "2026-10-31", "2026-10-31")

    def test_another_one_needs_another_database(self, context):
        begin_run(context, run_date="2026-11-01")
        end_run(context)
        with pytest.raises(PeriodRefused, match=r"as at 2026-10-31, not as_at 2026-11-07: .*start at restore"):
            begin_run(context, start_at="export", as_at="2026-11-07")
        with pytest.raises(PeriodRefused, match="not from_date 2026-10-01"):
            begin_step(context, "export", from_date="2026-10-01")
        assert context.ledger.current().lock_owner is None
        begin_step(context, "restore", as_at="2026-11-07")
        assert self.period(context) == ("2025-11-01", "2026-10-31", "2026-11-07")

    def test_an_impossible_one_is_refused_before_anything_is_recorded(self, context):
        with pytest.raises(InvalidInput, match="from_date 2026-11-01 is after to_date 2026-10-31"):
            begin_run(context, run_date="2026-11-01", from_date="2026-11-01")
        with pytest.raises(InvalidInput, match="as_at 2026-10-30 is before to_date 2026-10-31"):
            begin_run(context, run_date="2026-11-01", as_at="2026-10-30")
        assert context.ledger.run(RUN_DATE) == {}
        assert context.ledger.current().run_date is None


class TestStep:
    def test_alone_it_takes_the_current_runs_date_and_the_lock(self, context):
        begin_run(context, run_date="2026-11-01")
        end_run(context)
        assert begin_step(context, "segments") == {"run_date": "2026-11-01", "attempt": 1}
        assert context.ledger.current().lock_owner == "exec:step"
        end_step(context, "segments")
        assert context.ledger.current().lock_owner is None
        assert begin_step(context, "segments", "exec:again")["attempt"] == 2

    def test_a_retried_beginning_counts_once(self, context):
        context.ledger.set_current({"run_date": RUN_DATE})
        begin_step(context, "segments")
        assert begin_step(context, "segments")["attempt"] == 1

    def test_under_bua_it_joins_the_lock_and_leaves_it(self, context):
        begin_run(context, run_date="2026-11-01")
        begin_step(context, "segments", run_date="2026-11-01", lock_owner="exec:run")
        end_step(context, "segments")
        assert context.ledger.current().lock_owner == "exec:run"

    def test_under_a_bua_that_lost_the_lock_it_does_not_begin(self, context):
        begin_run(context, run_date="2026-11-01")
        with pytest.raises(RunInProgress):
            begin_step(context, "segments", run_date="2026-11-01", lock_owner="exec:lost")

    def test_another_date_is_refused_unless_forced(self, context):
        begin_run(context, run_date="2026-11-01")
        end_run(context)
        with pytest.raises(RunDateRefused, match="2026-11-01, not 2026-10-01"):
            begin_step(context, "segments", run_date="2026-10-01")
        assert context.ledger.current().lock_owner is None
        assert begin_step(context, "segments", run_date="2026-10-01", force=True)["run_date"] == "2026-10-01"

    def test_restore_may_begin_a_new_run_once_the_last_is_terminated(self, context):
        begin_run(context, run_date="2026-10-01")
        end_run(context)
        with pytest.raises(RunDateRefused):
            begin_step(context, "restore", run_date="2026-11-01", snapshot_arn=SNAPSHOT)
        context.ledger.set_current({"state": "TERMINATED"})
        begin_step(context, "restore", run_date="2026-11-01", snapshot_arn=SNAPSHOT)
        assert context.ledger.current().run_date == RUN_DATE
        assert context.ledger.run(RUN_DATE)["snapshot_arn"] == SNAPSHOT

    def test_failure_is_recorded_and_the_next_attempt_forgets_it(self, context):
        context.ledger.set_current({"run_date": RUN_DATE})
        begin_step(context, "nem12")
        end_step(context, "nem12", error="TooManyFailures", cause="12 of 100 work items failed")
        record = context.ledger.step("nem12", RUN_DATE)
        assert (record["state"], record["error"], record["attempts"]) == ("FAILED", "TooManyFailures", 1)
        begin_step(context, "nem12", "exec:again")
        record = context.ledger.step("nem12", RUN_DATE)
        assert (record["state"], record["attempts"]) == ("RUNNING", 2)
        assert "error" not in record
        assert "finished_at" not in record

    def test_steps_are_read_together(self, context):
        context.ledger.set_current({"run_date": RUN_DATE})
        begin_step(context, "reset-basicreads")
        begin_step(context, "nem12")
        end_step(context, "nem12", error="TooManyFailures", cause="12 of 100 work items failed")
        found = context.ledger.steps(("reset-basicreads", "nem12", "export"), RUN_DATE)
        assert {step: record.get("state") for step, record in found.items()} == {
            "reset-basicreads": "RUNNING", "nem12": "FAILED", "export": None,
        }  # fmt: skip
        assert found["nem12"]["cause"] == "12 of 100 work items failed"

    def test_counts_of_its_fan_outs_are_its_result(self, context):
        context.ledger.set_current({"run_date": RUN_DATE})
        begin_step(context, "segments")
        context.ledger.add_counts("segments", RUN_DATE, "UtilityProfile", {"planned": 5, "done": 5})
        context.ledger.add_counts("segments", RUN_DATE, "Validate", {"planned": 2, "done": 2})
        assert end_step(context, "segments")["counts"] == {
            "UtilityProfile": {"planned": 5, "done": 5},
            "Validate": {"planned": 2, "done": 2},
        }


def test_update_ids_begin_at_14_and_stay_with_their_run(context):
    assert context.ledger.update_id(date(2026, 11, 1)) == 14
    assert context.ledger.update_id(date(2026, 12, 1)) == 15
    assert context.ledger.update_id(date(2026, 11, 1)) == 14


def test_an_unknown_action_lists_those_that_exist(context):
    with pytest.raises(InvalidInput, match=r"'step.begin_now' is not an action.*step\.begin"):
        actions.perform(context, {"action": "step.begin_now"})


def test_a_misspelt_parameter_is_named(context):
    with pytest.raises(InvalidInput, match=r"scale\.nodes: node: Extra inputs"):
        actions.perform(context, {"action": "scale.nodes", "run_date": "2026-11-01", "nodes": 1, "node": 2})
