"""What site-export works off: the CSV files and the evidence."""

from shared.context import Context
from shared.steps import evidence, export
from shared.work.messages import Work

_EXPORTS = {"Export": export.export, "ExportEvidence": evidence.export}


def perform(context: Context, work: Work) -> None:
    """Work a message off, by its run type."""
    _EXPORTS[work.run_type](context, work)
