"""Low concurrency SQS driven missing basic reads execution."""

from shared.work.site import site_handler

lambda_handler = site_handler("site-basic")
