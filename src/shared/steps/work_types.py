"""Which work each run type of the catalogue does. UtilityProfile has its own module, being the only one with numpy."""

from collections.abc import Callable

from shared.context import Context
from shared.errors import InvalidInput
from shared.steps import export, nem12
from shared.work.items import Perform, procedure, work_off
from shared.work.messages import Work

SEGMENT: dict[str, Perform] = {
    "SegmentJurisdictionAvgExclEst": procedure("calculate_segment_averages"),
    "SegmentJurisdictionCheck": procedure("bua_mark_segment_jurisdiction_entries"),
    "SegmentJurisdictionFix": procedure("bua_fill_marked_segment_jurisdiction_entries"),
    "Validate": procedure("validate_segments"),
}
MICRO_SCALAR: dict[str, Perform] = {"MicroScalar": procedure("bua_create_invoice_scalar")}
BASIC: dict[str, Perform] = {
    "ResetBasicRead": procedure("reset_basic_reads"),
    "BasicRead": procedure("bua_create_basic_read"),
}
PREPARE: dict[str, Perform] = {"PrepareExport": procedure("bua_prepare_export_data")}


def work_message(context: Context, performs: dict[str, Perform]) -> Callable[[Work], None]:
    """What a site function does with a message of one of its run types."""

    def work(message: Work) -> None:
        if message.run_type not in performs:
            raise InvalidInput(f"run type {message.run_type} is not this function's: {', '.join(performs)}")
        with context.database.session(context.remaining_seconds()) as connection:
            work_off(connection, message, performs[message.run_type])

    return work


def nem12_types(context: Context) -> dict[str, Perform]:
    """The work of site-nem12."""
    return {"NEM12": nem12.generate_files(context)}


def export_types(context: Context) -> dict[str, Perform]:
    """The work of site-export."""
    return {"Export": export.export_files(context)}
