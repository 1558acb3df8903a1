"""Makes finance's report from the exported files."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.aws import clients
from shared.settings import from_environment
from shared.steps import reporting
from shared.steps.requests import RunRequest
from shared.telemetry import logger, metrics, tracer


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> dict[str, Any]:
    """Make the report of the run that the event names, and return its headline."""
    del lambda_context
    request = RunRequest.model_validate(event)
    logger.append_keys(run_date=request.run_date.isoformat())
    with tempfile.TemporaryDirectory() as place:
        return reporting.report(
            from_environment(os.environ), clients.client, request.run_date, datetime.now(UTC), Path(place)
        )
