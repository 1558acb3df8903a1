"""Low concurrency SQS driven missing basic reads execution."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import context
from shared.steps import work_types
from shared.telemetry import logger, metrics, tracer
from shared.work import queue
from shared.work.messages import Work


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> Any:
    """Work each message off."""
    invocation = context.build(os.environ, lambda_context)
    return queue.handle(
        event,
        lambda_context,
        Work,
        work_types.work_message(invocation, work_types.BASIC),
        queue.try_again_or_bury(invocation.settings, "site-basic"),
    )
