"""Copies what a run exported from the buckets into a folder."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from local.aws import names
from shared.steps.folders import OUTBOUND, REPORT_FILES


def collect(s3: Any, run_date: date, folder: Path) -> None:
    """Copy the outbound files to `folder`, evidence and all, and the generated meter data files to `folder`/nem12.

    Files of an earlier run with the same names are replaced; other files of the folder are not touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    meter_data = folder / "nem12"
    for filled in (meter_data, folder / "evidence"):  # fewer files may come this time
        shutil.rmtree(filled, ignore_errors=True)
    meter_data.mkdir()
    for name in REPORT_FILES:  # the last one's would pass for this run's
        (folder / name).unlink(missing_ok=True)
    _download(s3, names.INTEGRATION_BUCKET, OUTBOUND, folder)
    _download(s3, names.BUCKET, f"nem12/{run_date.isoformat()}/", meter_data)


def _download(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            path = folder / found["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
