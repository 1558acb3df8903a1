"""Low concurrency SQS driven microscalar execution."""

from shared.work.site import site_handler

lambda_handler = site_handler("site-mscalar")
