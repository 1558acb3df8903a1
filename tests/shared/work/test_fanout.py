"""A fan-out from its plan to the answer of its task token: moto's queues, a real PostgreSQL with the real schema."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta

import psycopg2
import pytest
from tests.cloud import NOW, messages

from shared.context import Context
from shared.errors import DatabaseUnavailable, InvalidInput, RetriableError
from shared.work import fanout
from shared.work.fanout import Counts
from shared.work.items import Outcome, work_off
from shared.work.messages import FanOut, Work, parse

RUN_DATE = date(2026, 11, 1)
ACCOUNTS = [f"A{number:04}" for number in range(1, 251)]  # 250 accounts, 100 a message: 3 messages


@pytest.fixture
def prepared(run_database, database):
    """A run with 250 unbilled accounts that have nothing but themselves."""
    database.dsn_of = run_database.dsn_of
    with run_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("insert into core.plan values ('FLAT')")
        cursor.execute(
            "insert into core.account select a, 'ELECTRICITY', 'RES', 'NSW', 'MASS', 'FLAT', '2026-01-01', null, 91, null"
            " from unnest(%s) a",
            (ACCOUNTS,),
        )
        connection.commit()
    return run_database


@pytest.fixture
def fan_out() -> FanOut:
    return FanOut(
        run_date=RUN_DATE, run_type="MicroScalar", step="microscalar", attempt="e@1#0", task_token="token",
        max_errors=10, acceptable_error_rate=0.01,
    )  # fmt: skip


def work_messages(context) -> list[Work]:
    return [parse(Work, m["Body"]) for m in messages(context.settings.queue_url("site-mscalar"))]


def nothing(cursor, work, items) -> None:
    pass


def test_every_account_travels_once_and_the_clock_starts(prepared, context, fan_out):
    fanout.initiate(context, fan_out)
    works = work_messages(context)
    assert [(w.batch_no, len(w.items)) for w in sorted(works, key=lambda w: w.batch_no)] == [
        (1, 100),
        (2, 100),
        (3, 50),
    ]
    assert sorted(item for w in works for item in w.items) == ACCOUNTS
    (clock,) = messages(context.settings.queue_url("next"))
    assert parse(FanOut, clock["Body"]) == fan_out


def test_a_redelivered_initiation_sends_nothing_twice(prepared, context, fan_out):
    fanout.initiate(context, fan_out)
    assert len(work_messages(context)) == 3
    fanout.initiate(context, fan_out)
    assert work_messages(context) == []


def test_an_initiation_that_died_half_way_sends_the_rest(prepared, context, fan_out):
    fanout.initiate(context, fan_out)
    work_messages(context)
    with prepared.connect() as connection, connection.cursor() as cursor:
        cursor.execute("update bua.fan_out_batch set is_enqueued = false where batch_no = 2")
        connection.commit()
    fanout.initiate(context, fan_out)
    assert [w.batch_no for w in work_messages(context)] == [2]


def test_out_of_time_it_hands_over_to_itself(prepared, hurried, fan_out):
    fanout.initiate(hurried, fan_out)
    assert work_messages(hurried) == []
    (again,) = messages(hurried.settings.queue_url("site-initiate"))
    assert parse(FanOut, again["Body"]) == fan_out
    assert messages(hurried.settings.queue_url("next")) == []


def test_nobody_waiting_nothing_planned(prepared, context, states, fan_out):
    states.live_tokens.clear()
    fanout.initiate(context, fan_out)
    assert work_messages(context) == []


class TestWork:
    def test_done_items_are_not_done_again(self, prepared, context, fan_out):
        fanout.initiate(context, fan_out)
        work = work_messages(context)[0]
        calls = []
        with prepared.connect("lambda") as connection:
            outcome = work_off(connection, work, lambda _c, _w, items: calls.append(items))
            assert outcome == Outcome(claimed=len(work.items), failed=0)
            assert work_off(connection, work, lambda _c, _w, items: calls.append(items)) == Outcome()
        assert calls == [sorted(work.items)]

    def test_one_bad_account_fails_alone_with_its_reason(self, prepared, context, fan_out):
        fanout.initiate(context, fan_out)
        work = next(w for w in work_messages(context) if "A0007" in w.items)

        def perform(cursor, work, items):
            cursor.execute("select 1 / (case when 'A0007' = any (%s) then 0 else 1 end)", (items,))

        with prepared.connect("lambda") as connection:
            assert work_off(connection, work, perform) == Outcome(claimed=100, failed=1)
            with connection.cursor() as cursor:
                cursor.execute(
                    "select item_key, state, reason from bua.bua_control where state <> 'PENDING' and batch_no = 1"
                )
                outcomes = {item: (state, reason) for item, state, reason in cursor.fetchall()}
        assert outcomes.pop("A0007") == ("FAIL", "DivisionByZero: division by zero")
        assert set(outcomes.values()) == {("DONE", None)}
        assert len(outcomes) == 99

    def test_a_permanent_error_of_ours_fails_items_too(self, prepared, context, fan_out):
        fanout.initiate(context, fan_out)
        work = work_messages(context)[0]

        def perform(cursor, work, items):
            raise InvalidInput("the reads make no sense")

        with prepared.connect("lambda") as connection:
            assert work_off(connection, work, perform).failed == len(work.items)

    def test_a_lost_connection_leaves_everything_pending(self, prepared, context, fan_out):
        fanout.initiate(context, fan_out)
        work = work_messages(context)[0]

        def perform(cursor, work, items):
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")

        with prepared.connect("lambda") as connection, pytest.raises(psycopg2.OperationalError):
            work_off(connection, work, perform)
        assert fanout._take_stock(context, fan_out) == Counts(planned=250, pending=250, done=0, skip=0, fail=0)

    def test_messages_of_an_earlier_attempt_find_nothing(self, prepared, context, fan_out):
        fanout.initiate(context, fan_out)
        late = work_messages(context)[0]
        fanout.initiate(context, fan_out.model_copy(update={"attempt": "e@2#0"}))
        with prepared.connect("lambda") as connection:
            assert work_off(connection, late, nothing) == Outcome()


class TestClock:
    @pytest.mark.usefixtures("prepared")
    def test_ticks_on_while_items_are_pending(self, context, states, fan_out):
        fanout.initiate(context, fan_out)
        messages(context.settings.queue_url("next"))
        before = len(states.heartbeats)
        fanout.tick(context, fan_out)
        assert len(messages(context.settings.queue_url("next"))) == 1
        assert len(states.heartbeats) == before + 1
        assert states.succeeded == {}

    def test_answers_with_the_counts_and_records_them(self, prepared, context, states, fan_out):
        fanout.initiate(context, fan_out)
        work_all(prepared, context)
        messages(context.settings.queue_url("next"))
        fanout.tick(context, fan_out)
        counts = {"planned": 250, "pending": 0, "done": 250, "skip": 0, "fail": 0}
        assert json.loads(states.succeeded["token"]) == counts
        assert context.ledger.step("microscalar", RUN_DATE)["counts"]["MicroScalar"] == counts
        assert messages(context.settings.queue_url("next")) == []

    def test_an_answered_token_ends_the_clock_quietly(self, prepared, context, fan_out):
        fanout.initiate(context, fan_out)
        work_all(prepared, context)
        messages(context.settings.queue_url("next"))
        fanout.tick(context, fan_out)
        fanout.tick(context, fan_out)
        assert messages(context.settings.queue_url("next")) == []

    def test_dead_letters_become_failures_with_their_cause(self, prepared, context, states, fan_out):
        fanout.initiate(context, fan_out)
        works = {w.batch_no: w for w in work_messages(context)}
        bury(context, works[3], "DatabaseUnavailable: gone")
        bury(context, works[2])
        with prepared.connect("lambda") as connection:
            work_off(connection, works[1], nothing)
        fanout.tick(context, fan_out)
        # All 150 are sent again, one a message, and fail again.
        again = work_messages(context)
        assert sorted(item for work in again for item in work.items) == ACCOUNTS[100:]
        assert {len(work.items) for work in again} == {1}
        assert states.failed == {}
        for work in again:
            bury(context, work, "DatabaseUnavailable: gone" if work.batch_no == 3 else None)
        fanout.tick(context, fan_out)
        error, text = states.failed["token"]
        assert error == "TooManyFailures"
        assert "150 of 250 work items failed; the limit is 10 or 1.00%" in text
        assert "50 x DatabaseUnavailable: gone (such as A0201)" in text
        with prepared.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select distinct batch_no, reason from bua.bua_control where state = 'FAIL' order by 1")
            reasons = dict(cursor.fetchall())
        assert reasons[3] == "DatabaseUnavailable: gone"
        assert "without an error" in reasons[2]
        assert messages(context.settings.dead_letter_url("site-mscalar")) == []

    def test_an_item_that_kills_its_function_fails_alone(self, prepared, context, states, fan_out):
        fanout.initiate(context, fan_out)
        works = {w.batch_no: w for w in work_messages(context)}
        with prepared.connect("lambda") as connection:
            for number in (1, 2):
                work_off(connection, works[number], nothing)
            bury(context, works[3])
            fanout.tick(context, fan_out)
            for work in work_messages(context):
                if work.items == ["A0217"]:
                    bury(context, work)
                else:
                    assert work_off(connection, work, nothing) == Outcome(claimed=1)
        fanout.tick(context, fan_out)
        assert json.loads(states.succeeded["token"]) == {
            "planned": 250,
            "pending": 0,
            "done": 249,
            "skip": 0,
            "fail": 1,
        }

    def test_when_too_many_have_failed_the_rest_is_recorded_at_once(self, prepared, context, states, fan_out):
        fanout.initiate(context, fan_out)
        works = {w.batch_no: w for w in work_messages(context)}
        with prepared.connect("lambda") as connection, connection.cursor() as cursor:
            work_off(connection, works[1], nothing)
            cursor.execute(
                "update bua.bua_control set state = 'FAIL', reason = 'no' where item_key between 'A0101' and 'A0111'"
            )
            connection.commit()
        bury(context, works[2])
        bury(context, works[3])
        fanout.tick(context, fan_out)
        assert work_messages(context) == []
        assert "150 of 250 work items failed" in states.failed["token"][1]

    def test_a_batch_whose_worker_was_killed_is_sent_again_and_done_once(
        self, prepared, context, clock, states, fan_out
    ):
        fanout.initiate(context, fan_out)
        first = {w.batch_no: w for w in work_messages(context)}  # taken by three workers; the queue is empty
        with prepared.connect("lambda") as connection:
            work_off(connection, first[1], nothing)
            work_off(connection, first[3], nothing)
        assert clock.at(0) == []  # the second worker has been killed; nobody knows
        assert clock.at(119) == []
        (again,) = clock.at(120)  # a function's time-out after the queue was seen empty
        assert again == first[2]
        with prepared.connect("lambda") as connection:
            assert work_off(connection, again, nothing) == Outcome(claimed=100)
            assert work_off(connection, first[2], nothing) == Outcome()  # SQS delivers the lost one, long after
        clock.at(121)
        assert json.loads(states.succeeded["token"])["done"] == 250

    @pytest.mark.usefixtures("prepared")
    def test_what_waits_in_the_queue_is_not_overdue(self, context, clock, fan_out):
        fanout.initiate(context, fan_out)
        assert [len(clock.at(seconds, take=False)) for seconds in (0, 1000)] == [0, 0]
        url = context.settings.queue_url("site-mscalar")
        assert len(messages(url)) == 3
        assert clock.at(1001) == []  # it was emptied just now
        assert len(clock.at(1121)) == 3

    def test_a_batch_that_kills_its_workers_is_split_and_its_items_fail_alone(
        self, prepared, context, clock, states, fan_out
    ):
        fanout.initiate(context, fan_out)
        with prepared.connect("lambda") as connection:
            for work in work_messages(context):
                if work.batch_no != 3:
                    work_off(connection, work, nothing)
            clock.at(0)
            assert [len(work.items) for work in clock.at(120)] == [50]
            singles = clock.at(240)
            assert [work.items for work in sorted(singles, key=lambda w: w.items)] == [[a] for a in ACCOUNTS[200:]]
            for work in singles:
                if work.items != ["A0217"]:
                    assert work_off(connection, work, nothing) == Outcome(claimed=1)
        assert [work.items for work in clock.at(360)] == [["A0217"]]
        assert clock.at(480) == []
        clock.at(481)
        assert json.loads(states.succeeded["token"])["fail"] == 1
        with prepared.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select item_key, reason from bua.bua_control where state = 'FAIL'")
            ((item, reason),) = cursor.fetchall()
        assert item == "A0217"
        assert "ended several times without an error" in reason

    @pytest.mark.usefixtures("prepared")
    def test_small_environments_miss_a_worker_sooner(self, context, fan_out):
        small = Clock(replace(context, settings=context.settings.model_copy(update={"most_timeout_seconds": 60})))
        fanout.initiate(context, fan_out)
        work_messages(context)
        assert [len(small.at(seconds)) for seconds in (0, 59, 60)] == [0, 0, 3]

    @pytest.mark.usefixtures("prepared")
    def test_without_the_database_no_heartbeat_is_sent(self, context, states, database, fan_out):
        database.is_down = True
        with pytest.raises(DatabaseUnavailable):
            fanout.tick(context, fan_out)
        assert states.heartbeats == []

    def test_nothing_to_do_is_done(self, run_database, database, context, states, fan_out):
        database.dsn_of = run_database.dsn_of
        fanout.initiate(context, fan_out)
        fanout.tick(context, fan_out)
        assert json.loads(states.succeeded["token"])["planned"] == 0


@dataclass
class Clock:
    """The clock of a fan-out: its ticks so many seconds after the beginning, and what each sends to the workers."""

    context: Context
    last: float = 0.0

    def at(self, seconds: float, *, take: bool = True) -> list[Work]:
        (letter,) = messages(self.context.settings.queue_url("next"))
        with self.context.database.session(1) as connection, connection.cursor() as cursor:
            # The database's clock goes as the functions' does.
            cursor.execute(
                "update bua.fan_out_batch set sent_at = sent_at - make_interval(secs => %s)", (seconds - self.last,)
            )
            connection.commit()
        self.last = seconds
        fanout.tick(replace(self.context, now=NOW + timedelta(seconds=seconds)), parse(FanOut, letter["Body"]))
        return work_messages(self.context) if take else []


@pytest.fixture
def clock(context) -> Clock:
    return Clock(context)


def bury(context, work: Work, cause: str | None = None) -> None:
    """Send a message to the dead letters, as its function or the queue does."""
    attributes = {"cause": {"DataType": "String", "StringValue": cause}} if cause else {}
    context.client("sqs").send_message(
        QueueUrl=context.settings.dead_letter_url("site-mscalar"), MessageBody=work.model_dump_json(),
        MessageAttributes=attributes,
    )  # fmt: skip


def work_all(database, context) -> None:
    with database.connect("lambda") as connection:
        for work in work_messages(context):
            work_off(connection, work, nothing)


@pytest.mark.parametrize(
    ("failed", "planned", "tolerated"),
    [(10, 100, True), (11, 100, False), (11, 1100, True), (12, 1100, False), (0, 0, True)],
)
def test_tolerance_is_the_larger_of_ten_and_one_percent(fan_out, failed, planned, tolerated):
    assert fan_out.tolerates(failed, planned) is tolerated


def test_requests_to_sqs_hold_ten_messages_and_less_than_256_kb(fan_out):
    small = [(number, ["A"]) for number in range(1, 26)]
    assert [len(request) for request in fanout._requests(fan_out, small)] == [10, 10, 5]
    large = [(number, ["N" * 50_000]) for number in range(1, 6)]
    assert [len(request) for request in fanout._requests(fan_out, large)] == [4, 1]


def test_a_refused_message_is_tried_again(prepared, context, fan_out):
    sqs = context.client("sqs")

    class Refusing:
        def __getattr__(self, name):
            return getattr(sqs, name)

        def send_message_batch(self, **_request):
            return {"Failed": [{"Id": "1", "Message": "throttled"}]}

    refusing = replace(context, client=lambda service: Refusing() if service == "sqs" else context.client(service))

    with pytest.raises(RetriableError, match="throttled"):
        fanout.initiate(refusing, fan_out)
