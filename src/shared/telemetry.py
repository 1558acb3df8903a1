"""The one logger, metrics and tracer of a function; the service's name comes from POWERTOOLS_SERVICE_NAME."""

from aws_lambda_powertools import Logger, Metrics, Tracer, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "BottomUpAccruals"

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)
tracer = Tracer()


def count_items(name: str, run_type: str, value: int) -> None:
    """Publish a count of work items by run type, separate from the invocation's metrics, which have no run type."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as metric:
        metric.add_dimension(name="run_type", value=run_type)
