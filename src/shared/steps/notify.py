"""EARL's announcement starts `bua`, once per run date however often it is delivered."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.telemetry import logger
from shared.work.messages import Announcement, parse


class Envelope(BaseModel):
    """What SNS puts around a message on its way to SQS (raw message delivery is off)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message: str = Field(alias="Message")
    topic_arn: str = Field(alias="TopicArn")


def start_run(states: Any, machine_arn: str, envelope: Envelope) -> None:
    """Start the controller machine under a name with the run date, which a second delivery cannot use again.

    states is a client of Step Functions.
    """
    announcement = parse(Announcement, envelope.message)
    logger.append_keys(run_date=announcement.run_date.isoformat())
    try:
        states.start_execution(
            stateMachineArn=machine_arn,
            name=f"announced-{announcement.run_date.isoformat()}",
            input=announcement.model_dump_json(exclude_none=True),
        )
    except states.exceptions.ExecutionAlreadyExists:
        logger.warning("this run was started before; to repeat it, start it from the console")
        return
    logger.info("run started", snapshot_arn=announcement.snapshot_arn)
