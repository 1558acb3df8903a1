"""Low concurrency SQS driven interval profile segment calculations."""

from shared.work.site import site_handler

lambda_handler = site_handler("site-segment")
