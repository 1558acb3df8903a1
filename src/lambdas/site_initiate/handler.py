"""SQS driven site data processing initiation: plans a fan-out and enqueues it."""

import os
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import context
from shared.telemetry import logger, metrics, tracer
from shared.work import fanout, queue
from shared.work.messages import FanOut


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> Any:
    """Plan and enqueue the fan-out of each message."""
    invocation = context.build(os.environ, lambda_context)
    on_error = queue.try_again_or(invocation.settings, "site-initiate", partial(fanout.report_failure, invocation))
    return queue.handle(event, lambda_context, FanOut, partial(fanout.initiate, invocation), on_error)
