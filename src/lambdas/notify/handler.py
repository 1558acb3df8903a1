"""Trigger the BUA step function based on a notification from a topic."""

import os
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import context, notify, queue
from shared.telemetry import logger, metrics, tracer


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> Any:
    """Start a run for each announcement."""
    invocation = context.build(os.environ, lambda_context)
    return queue.handle(event, lambda_context, notify.Envelope, partial(notify.start_run, invocation), queue.keep)
