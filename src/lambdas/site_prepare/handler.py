"""Low concurrency SQS driven prepare export data."""

from shared.work.site import site_handler

lambda_handler = site_handler("site-prepare")
