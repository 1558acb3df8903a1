"""The one handler of all site functions: they work off messages of work items, and differ in their work alone."""

import os
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import catalogue, context
from shared.context import Context
from shared.errors import InvalidInput
from shared.telemetry import logger, metrics, tracer
from shared.work import items, queue
from shared.work.messages import Work

Perform = Callable[[Context, Work], None]
Handler = Callable[[dict[str, Any], LambdaContext], Any]


def work_in_sql(invocation: Context, work: Work) -> None:
    """Work a message off whose run type is SQL alone."""
    with invocation.database.session(invocation.remaining_seconds()) as connection:
        items.work_off(connection, work, items.in_sql)


def site_handler(function: str, perform: Perform = work_in_sql) -> Handler:
    """The lambda_handler of a site function, by its key in the catalogue; perform works one message off."""

    @logger.inject_lambda_context(clear_state=True)
    @tracer.capture_lambda_handler
    @metrics.log_metrics(capture_cold_start_metric=True)
    def lambda_handler(event: dict[str, Any], lambda_context: LambdaContext) -> Any:
        """Work each message off."""
        invocation = context.build(os.environ, lambda_context)

        def work_message(work: Work) -> None:
            if catalogue.load().run_type(work.run_type).function != function:
                raise InvalidInput(f"run type {work.run_type} is not one of {function}: see its step in catalogue.yaml")
            perform(invocation, work)

        on_error = queue.try_again_or_bury(invocation.settings, function)
        return queue.handle(event, lambda_context, Work, work_message, on_error)

    return lambda_handler
