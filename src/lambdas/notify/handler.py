"""Trigger the BUA step function based on a notification from a topic."""

import os
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.aws import clients
from shared.settings import from_environment
from shared.steps import notify
from shared.telemetry import logger, metrics, tracer
from shared.work import queue


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> Any:
    """Start a run for each announcement."""
    machine_arn = from_environment(os.environ).machine_arn("bua")
    start_run = partial(notify.start_run, clients.client("stepfunctions"), machine_arn)
    return queue.handle(event, lambda_context, notify.Envelope, start_run, queue.keep)
