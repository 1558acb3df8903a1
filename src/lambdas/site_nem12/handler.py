"""Low concurrency SQS driven NEM12 generation."""

from shared.steps import nem12
from shared.work.site import site_handler

lambda_handler = site_handler("site-nem12", nem12.generate)
