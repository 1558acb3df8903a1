"""High concurrency SQS driven site data processing: interval reads to UtilityProfile."""

from shared.steps import utility_profile
from shared.work.site import site_handler

lambda_handler = site_handler("site-data", utility_profile.extract)
