"""Low concurrency SQS driven export of BUA data."""

from shared.steps import site_export
from shared.work.site import site_handler

lambda_handler = site_handler("site-export", site_export.perform)
