"""What every queue function shares: batches with partial responses, and a last word for a message that is given up."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pydantic import BaseModel

from shared import aws
from shared.errors import RetriableError
from shared.messages import parse
from shared.settings import Settings
from shared.telemetry import logger, metrics

M = TypeVar("M", bound=BaseModel)

# A queue gives a message up after this many receives (its redrive policy's maxReceiveCount).
MAX_RECEIVES = 3
CAUSE_LENGTH = 500


def handle(
    event: dict[str, Any],
    lambda_context: Any,
    model: type[M],
    work: Callable[[M], None],
    on_error: Callable[[SQSRecord, Exception], bool],
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
    """Leave a failed message to the queue."""
    del record, error
    return False


def give_up_with_cause(settings: Settings, function: str) -> Callable[[SQSRecord, Exception], bool]:
    """On the last receive, put the message on the dead-letter queue ourselves, with the cause that SQS cannot know.

    Before that, an error that may pass is tried again soon rather than after the queue's visibility timeout.
    """

    def on_error(record: SQSRecord, error: Exception) -> bool:
        received = int(record.attributes.approximate_receive_count)
        sqs = aws.client("sqs")
        if received >= MAX_RECEIVES:
            cause = f"{type(error).__name__}: {' '.join(str(error).split())}"[:CAUSE_LENGTH]
            sqs.send_message(
                QueueUrl=settings.dead_letter_url(function),
                MessageBody=record.body,
                MessageAttributes={"cause": {"DataType": "String", "StringValue": cause}},
            )
            return True
        if isinstance(error, RetriableError):
            sqs.change_message_visibility(
                QueueUrl=settings.queue_url(function),
                ReceiptHandle=record.receipt_handle,
                VisibilityTimeout=int(15 * 2**received * random.uniform(0.5, 1.5)),  # noqa: S311 - spreading load
            )
        return False

    return on_error


def _log_keys(message: BaseModel) -> dict[str, str]:
    return {name: str(getattr(message, name)) for name in ("run_date", "run_type") if hasattr(message, name)}
