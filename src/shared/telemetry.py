"""The one logger, metrics and tracer of a function; the service's name comes from POWERTOOLS_SERVICE_NAME."""

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger()
metrics = Metrics(namespace="BottomUpAccruals")
tracer = Tracer()
