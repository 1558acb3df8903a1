"""The one handler of both controllers, which differ in their limits alone."""

import os
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import context
from shared.steps import actions
from shared.telemetry import logger, metrics, tracer


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> dict[str, Any]:
    """Perform the action that the event names and return what the state machine goes on with."""
    logger.append_keys(action=event.get("action"), run_date=event.get("run_date"))
    metrics.add_metric(name="ActionsStarted", unit=MetricUnit.Count, value=1)
    result = actions.perform(context.build(os.environ, lambda_context), event)
    logger.info("action performed", result=result)
    return result
