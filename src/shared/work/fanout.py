"""Fan-out: plan the work in SQL, enqueue it, and watch it with a clock of delayed messages until it is done.

A state of a state machine sends FanOut to site-initiate and waits for its task token. Everything here may happen twice:
a plan belongs to one attempt, batches are marked when they are enqueued, work items are done in the transaction that
marks them, and a clock whose token has been answered ends without an error.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import ClientError

from shared import catalogue
from shared.context import Context
from shared.database.connections import Connection
from shared.errors import CAUSE_LENGTH, InvalidInput, RetriableError, TooManyFailures
from shared.telemetry import count_items, logger
from shared.work.messages import FanOut, Work, parse

# SQS accepts ten messages and 256 KB per request, including the envelope.
BATCH_MESSAGES = 10
BATCH_BYTES = 240_000
# After this many batches they are marked as enqueued, and a heartbeat is sent.
MARK_EVERY = 300
# With less time than this left, site-initiate hands the rest to a fresh invocation of itself.
HAND_OVER_SECONDS = 25.0
SHOWN_REASONS = 3
# So many dead letters of a tick are worked off again item by item. A function that fails always would send them all.
SPLIT_LETTERS = 10
# So many overdue batches are seen to in a tick; the next one sees to more.
OVERDUE_BATCHES = 10
# A batch is sent as a whole, again as a whole, and twice item by item. What is then still pending ends its worker always.
WHOLE_SENDS, MOST_SENDS = 2, 4

_ENDED_WITHOUT_ERROR = "the function ended several times without an error (out of time or memory): see its log"

_TOKEN_IS_DEAD = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")

Batch = tuple[int, list[str]]


@dataclass(frozen=True)
class Counts:
    """Work items of one fan-out, by state."""

    planned: int
    pending: int
    done: int
    skip: int
    fail: int


def initiate(context: Context, fan_out: FanOut) -> None:
    """Plan a fan-out, enqueue the batches that are not enqueued yet, and start the clock."""
    if not heartbeat(context, fan_out):
        return
    with context.database.session(context.remaining_seconds()) as connection:
        batches = plan(connection, fan_out, _items_per_message(context, fan_out.run_type))
        function = catalogue.load().run_type(fan_out.run_type).function
        for part in _chunks(batches, MARK_EVERY):
            if context.remaining_seconds() < HAND_OVER_SECONDS:
                logger.warning("out of time, handing over", batches_left=len(batches))
                _send(context, "site-initiate", fan_out, delay_seconds=0)
                return
            _enqueue(context, context.settings.queue_url(function), fan_out, part)
            _mark_enqueued(connection, fan_out, [number for number, _ in part])
            heartbeat(context, fan_out)
    logger.info("fan-out enqueued", batches=len(batches))
    _send(context, "next", fan_out, delay_seconds=context.settings.tick_seconds)


def _items_per_message(context: Context, run_type: str) -> int:
    """The catalogue's number, or less in an environment for small portfolios."""
    return min(catalogue.load().run_type(run_type).items_per_message, context.settings.most_items_per_message)


def plan(connection: Connection, fan_out: FanOut, items_per_message: int) -> list[Batch]:
    """Plan the attempt unless that is done; returns the batches that are not enqueued yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select batch_no, items from bua.plan_work_items(%s, %s, %s, %s)",
            (fan_out.run_date, fan_out.run_type, fan_out.attempt, items_per_message),
        )
        batches: list[Batch] = cursor.fetchall()
    connection.commit()
    return batches


def tick(context: Context, fan_out: FanOut) -> None:
    """One tick of a fan-out's clock: record dead letters, count, and answer the token, or see to lost work and tick again."""
    # The heartbeat comes after the count: if the database cannot be reached, the state times out.
    counts = _take_stock(context, fan_out)
    if not heartbeat(context, fan_out):
        return
    count_items("ItemsPending", fan_out.run_type, counts.pending)
    if counts.pending:
        logger.info("fan-out under way", counts=asdict(counts))
        later = fan_out.model_copy(update={"idle_since": _idle_since(context, fan_out)})
        _see_to_overdue(context, later)
        _send(context, "next", later, delay_seconds=context.settings.tick_seconds)
        return
    context.ledger.add_counts(fan_out.step, fan_out.run_date, fan_out.run_type, asdict(counts))
    answer(context, fan_out, counts)


def _idle_since(context: Context, fan_out: FanOut) -> datetime | None:
    """Since when no message waits in the function's queue: what is pending is under way, lost, or about to come back."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    url = context.settings.queue_url(catalogue.load().run_type(fan_out.run_type).function)
    waiting = context.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return None if any(int(waiting[name]) for name in names) else fan_out.idle_since or context.now


def _see_to_overdue(context: Context, fan_out: FanOut) -> None:
    """Send batches again whose worker was lost: claims make their work exactly-once, so one too many does no harm.

    Whoever took a message before the queue was empty has ended when the function's time-out has passed since.
    """
    function = catalogue.load().functions[catalogue.load().run_type(fan_out.run_type).function]
    seconds = min(function.timeout_seconds, context.settings.most_timeout_seconds)
    if fan_out.idle_since is None or (context.now - fan_out.idle_since).total_seconds() < seconds:
        return
    with context.database.session(context.remaining_seconds()) as connection:
        with connection.cursor() as cursor:
            cursor.execute(
                "select batch_no, sends, items from bua.overdue_batches(%s, %s, %s, %s) limit %s",
                (fan_out.run_date, fan_out.run_type, fan_out.attempt, seconds, OVERDUE_BATCHES),
            )
            overdue = cursor.fetchall()
        for number, sends, items in overdue:
            _send_again(context, connection, fan_out, (number, items), sends)


def _send_again(context: Context, connection: Connection, fan_out: FanOut, batch: Batch, sends: int) -> None:
    number, items = batch
    if sends >= MOST_SENDS:
        _record_failure(connection, _work(fan_out, batch), _ENDED_WITHOUT_ERROR)
        return
    logger.warning("batch is overdue, sent again", batch_no=number, items=len(items), sends=sends)
    parts = [batch] if sends < WHOLE_SENDS else [(number, [item]) for item in items]
    function = catalogue.load().run_type(fan_out.run_type).function
    _enqueue(context, context.settings.queue_url(function), fan_out, parts)
    _mark_enqueued(connection, fan_out, [number])


def _mark_enqueued(connection: Connection, fan_out: FanOut, numbers: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "call bua.mark_enqueued(%s, %s, %s, %s)", (fan_out.run_date, fan_out.run_type, fan_out.attempt, numbers)
        )
    connection.commit()


def answer(context: Context, fan_out: FanOut, counts: Counts) -> None:
    """Complete the waiting state: success with the counts, or TooManyFailures."""
    states = context.client("stepfunctions")
    with _quiet_if_dead():
        if fan_out.tolerates(counts.fail, counts.planned):
            states.send_task_success(taskToken=fan_out.task_token, output=json.dumps(asdict(counts)))
            logger.info("fan-out complete", counts=asdict(counts))
            return
        cause = (
            f"{fan_out.run_type} of {fan_out.run_date}: {counts.fail} of {counts.planned} work items failed; the limit is "
            f"{fan_out.max_errors} or {fan_out.acceptable_error_rate:.2%}, whichever is more. {_reasons(context, fan_out)}"
        )
        logger.error(cause, counts=asdict(counts))
        states.send_task_failure(taskToken=fan_out.task_token, error=TooManyFailures.__name__, cause=cause)


def report_failure(context: Context, record: SQSRecord, error: Exception) -> None:
    """Fail the waiting state with the error, instead of letting its heartbeat time out."""
    fan_out = parse(FanOut, record.body)
    with _quiet_if_dead():
        context.client("stepfunctions").send_task_failure(
            taskToken=fan_out.task_token, error=type(error).__name__, cause=str(error)[:CAUSE_LENGTH]
        )


def heartbeat(context: Context, fan_out: FanOut) -> bool:
    """Send the waiting state a heartbeat; False when it no longer waits."""
    with _quiet_if_dead():
        context.client("stepfunctions").send_task_heartbeat(taskToken=fan_out.task_token)
        return True
    return False


@contextmanager
def _quiet_if_dead() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _TOKEN_IS_DEAD:
            raise
        logger.info("the state no longer waits for this fan-out; its clock ends")


def _take_stock(context: Context, fan_out: FanOut) -> Counts:
    with context.database.session(context.remaining_seconds()) as connection:
        _take_dead_letters_in(context, connection, fan_out)
        counts = _count(connection, fan_out)
        connection.commit()
    return counts


def _count(connection: Connection, fan_out: FanOut) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(
            "select planned, pending, done, skip, fail from bua.count_work_items(%s, %s, %s)",
            (fan_out.run_date, fan_out.run_type, fan_out.attempt),
        )
        row = cursor.fetchone()
    return Counts(*row) if row else Counts(0, 0, 0, 0, 0)


def _reasons(context: Context, fan_out: FanOut) -> str:
    """The commonest reasons of failed items, each with an item to look at; all of them are in bua.bua_control."""
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*), reason, min(item_key) from bua.bua_control"
            " where run_date = %s and run_type = %s and state = 'FAIL' group by reason order by 1 desc, 2 limit %s",
            (fan_out.run_date, fan_out.run_type, SHOWN_REASONS),
        )
        return "; ".join(f"{count} x {reason} (such as {item})" for count, reason, item in cursor.fetchall())


def _take_dead_letters_in(context: Context, connection: Connection, fan_out: FanOut) -> None:
    """Send the items of the function's dead letters again, one a message; record those that were alone as FAIL.

    So an item that fails for good fails alone. When more have failed than is tolerated, the rest is recorded at once.
    Letters of other attempts are dropped.
    """
    sqs = context.client("sqs")
    function = catalogue.load().run_type(fan_out.run_type).function
    url = context.settings.dead_letter_url(function)
    split = 0
    while letters := _receive(sqs, url):
        for letter in letters:
            work = _work_of(letter)
            if work is None:
                logger.error("dropped a dead letter that contains no work items", body=letter["Body"])
            elif split < SPLIT_LETTERS and _is_to_split(connection, fan_out, work):
                singles = [(work.batch_no, [item]) for item in work.items]
                _enqueue(context, context.settings.queue_url(function), fan_out, singles)
                split += 1
                logger.warning("dead letter sent again, item by item", batch_no=work.batch_no, items=len(work.items))
            else:
                _record_failure(connection, work, _cause(letter))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])


def _work_of(letter: dict[str, Any]) -> Work | None:
    try:
        return parse(Work, letter["Body"])
    except InvalidInput:
        return None


def _is_to_split(connection: Connection, fan_out: FanOut, work: Work) -> bool:
    if len(work.items) == 1 or (work.run_type, work.attempt) != (fan_out.run_type, fan_out.attempt):
        return False
    counts = _count(connection, fan_out)
    return fan_out.tolerates(counts.fail, counts.planned)


def _record_failure(connection: Connection, work: Work, cause: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "call bua.fail_work_items(%s, %s, %s, %s, %s)",
            (work.run_date, work.run_type, work.attempt, work.items, cause),
        )
    connection.commit()
    logger.warning("dead letter recorded as failed", batch_no=work.batch_no, items=len(work.items))


def _receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    response = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["cause"])
    letters: list[dict[str, Any]] = response.get("Messages", [])
    return letters


def _cause(letter: dict[str, Any]) -> str:
    attribute = letter.get("MessageAttributes", {}).get("cause")
    if attribute:
        return str(attribute["StringValue"])
    return _ENDED_WITHOUT_ERROR


def _enqueue(context: Context, url: str, fan_out: FanOut, batches: Sequence[Batch]) -> None:
    sqs = context.client("sqs")
    for entries in _requests(fan_out, batches):
        # boto3 retries a request that failed as a whole; single entries may be refused in one that succeeded.
        response = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        if refused := response.get("Failed"):
            raise RetriableError(f"{url} refused {len(refused)} messages: {refused[0].get('Message')}")


def _requests(fan_out: FanOut, batches: Iterable[Batch]) -> Iterator[list[dict[str, str]]]:
    entries: list[dict[str, str]] = []
    size = 0
    for number, items in batches:
        body = _work(fan_out, (number, items)).model_dump_json()
        if entries and (len(entries) == BATCH_MESSAGES or size + len(body.encode()) > BATCH_BYTES):
            yield entries
            entries, size = [], 0
        entries.append({"Id": str(len(entries)), "MessageBody": body})
        size += len(body.encode())
    if entries:
        yield entries


def _work(fan_out: FanOut, batch: Batch) -> Work:
    number, items = batch
    return Work(
        run_date=fan_out.run_date, run_type=fan_out.run_type, attempt=fan_out.attempt, batch_no=number, items=items
    )


def _send(context: Context, function: str, fan_out: FanOut, delay_seconds: int) -> None:
    context.client("sqs").send_message(
        QueueUrl=context.settings.queue_url(function),
        MessageBody=fan_out.model_dump_json(),
        DelaySeconds=delay_seconds,
    )


def _chunks(batches: list[Batch], size: int) -> Iterator[list[Batch]]:
    for start in range(0, len(batches), size):
        yield batches[start : start + size]
