"""Writes the demo's meter data files, without the project's writer, so that this is tested independently."""

import functools
import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from local.demo.interval_reads import Channel, ReadDay
from local.demo.metered import Metered

REASONS = {"S": ("1", "Meter/Equipment Changed"), "F": ("1", "Meter/Equipment Changed")}


def nem12_text(metered: Metered, channels: list[Channel], run_date: date, *, corrections: bool = False) -> str:
    """Return one file of a site: all its suffixes, or only the corrections."""
    lines = [f"100,NEM12,{run_date:%Y%m%d}0000,MDP1,RETAILER"]
    configuration = "".join(sorted({channel.suffix for channel in channels}))
    for channel in channels:
        days = channel.corrections if corrections else channel.days
        if days:
            lines.append(_details(metered, channel, configuration))
            for day in days:
                lines.extend(_interval_lines(day, metered))
    lines.append("900")
    return "\n".join(lines) + "\n"


def _details(metered: Metered, channel: Channel, configuration: str) -> str:
    place = metered.place
    stream_id = channel.suffix.replace("E", "N").replace("B", "N")
    register = f"{channel.suffix},{channel.suffix},{stream_id},{channel.meter.serial},{place.uom}"
    return f"200,{metered.site_id},{configuration},{register},{place.minutes},"


def _interval_lines(day: ReadDay, metered: Metered) -> Iterator[str]:
    decimals = 0 if metered.place.uom == "WH" else metered.place.decimals
    values = ",".join([_value(value, decimals) for value in day.values.tolist()])
    several = len(day.spans) > 1
    quality = "V,," if several else _quality(day.spans[0][2])
    yield f"300,{day.day:%Y%m%d},{values},{quality},{_stamp(day.updated)},"
    if several:
        per_half_hour = 30 // metered.place.minutes
        for first, last, method in day.spans:
            yield f"400,{(first - 1) * per_half_hour + 1},{last * per_half_hour},{_quality(method)}"


@functools.cache  # most half-hours of a portfolio share a few thousand values
def _value(value: int, decimals: int) -> str:
    return f"{Decimal(value).scaleb(-decimals):f}"


def _quality(method: str) -> str:
    """QualityMethod, ReasonCode and ReasonDescription; substitutes must give a reason."""
    code, description = REASONS.get(method[0], ("", ""))
    return f"{method},{code},{description}"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}"


def write_nem12(folder: Path, files: dict[str, str], packing: str, run_date: date) -> None:
    """Write texts by file name (without ending), plain, gzipped, or together in one zip; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    if packing == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                member = zipfile.ZipInfo(f"{name}.csv", (run_date.year, run_date.month, run_date.day, 0, 0, 0))
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, text)
        (folder / f"{next(iter(files))}-{len(files)}.zip").write_bytes(buffer.getvalue())
        return
    for name, text in files.items():
        content = text.encode()
        if packing == ".csv.gz":
            content = gzip.compress(content, compresslevel=4, mtime=0)
        (folder / f"{name}{packing}").write_bytes(content)
