"""What all functions with a queue share: partial batch responses, and a cause for a message that fails for good."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pydantic import BaseModel

from shared.aws import clients
from shared.errors import PermanentError, on_one_line
from shared.settings import Settings
from shared.telemetry import logger, metrics
from shared.work.messages import parse

M = TypeVar("M", bound=BaseModel)

# After this many receives a queue moves a message to its dead-letter queue (maxReceiveCount of the redrive policy).
MAX_RECEIVES = 3
# A failed message is back after about a minute, then after two.
RETRY_SECONDS = 30

OnError = Callable[[SQSRecord, Exception], bool]  # True: the message is done


def handle(
    event: dict[str, Any],
    lambda_context: Any,
    model: type[M],
    work: Callable[[M], None],
    on_error: OnError,
) -> Any:
    """Parse and work each message; those that raise are reported as failed, so that only they are delivered again."""

    def handle_record(record: SQSRecord) -> None:
        try:
            message = parse(model, record.body)
            logger.append_keys(**_log_keys(message))
            work(message)
        except Exception as error:
            logger.exception("message failed", receive_count=record.attributes.approximate_receive_count)
            if not on_error(record, error):
                raise

    metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(
        event=event,
        record_handler=handle_record,
        processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        context=lambda_context,
    )


def keep(record: SQSRecord, error: Exception) -> bool:
    """Leave a failed message to the queue's own retries."""
    del record, error
    return False


def try_again_or(settings: Settings, function: str, give_up: Callable[[SQSRecord, Exception], None]) -> OnError:
    """Retry soon, not only after the queue's visibility timeout; after the last attempt call give_up.

    A permanent error, or any error at the last receive, goes to give_up.
    """

    def on_error(record: SQSRecord, error: Exception) -> bool:
        received = int(record.attributes.approximate_receive_count)
        if isinstance(error, PermanentError) or received >= MAX_RECEIVES:
            give_up(record, error)
            return True
        clients.client("sqs").change_message_visibility(
            QueueUrl=settings.queue_url(function),
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=int(RETRY_SECONDS * 2**received * random.uniform(0.5, 1.5)),  # noqa: S311 - spreading load
        )
        return False

    return on_error


def try_again_or_bury(settings: Settings, function: str) -> OnError:
    """For site functions: send a message that fails for good to the dead-letter queue, with the cause."""

    def bury(record: SQSRecord, error: Exception) -> None:
        clients.client("sqs").send_message(
            QueueUrl=settings.dead_letter_url(function),
            MessageBody=record.body,
            MessageAttributes={"cause": {"DataType": "String", "StringValue": on_one_line(error)}},
        )

    return try_again_or(settings, function, bury)


def _log_keys(message: BaseModel) -> dict[str, str]:
    return {name: str(getattr(message, name)) for name in ("run_date", "run_type") if hasattr(message, name)}
