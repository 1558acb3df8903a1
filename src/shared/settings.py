"""The functions' environment variables, typed. Only lambda_handler reads them; other code gets Settings as an argument."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import InvalidInput, describe


class Settings(BaseModel):
    """One field per environment variable. Whoever creates the functions relies on names and defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    environment: str = Field(alias="ENVIRONMENT")
    prefix: str = Field(alias="PREFIX")
    account_id: str = Field(alias="ACCOUNT_ID", pattern=r"^\d{12}$")
    region: str = Field(alias="AWS_REGION")
    time_zone: str = Field(alias="TIME_ZONE", default="Australia/Sydney")

    control_table: str = Field(alias="CONTROL_TABLE")
    bucket: str = Field(alias="BUCKET")
    integration_bucket: str = Field(alias="INTEGRATION_BUCKET")
    queue_url_prefix: str = Field(alias="QUEUE_URL_PREFIX")
    state_machine_arn_prefix: str = Field(alias="STATE_MACHINE_ARN_PREFIX")
    tick_seconds: int = Field(alias="TICK_SECONDS", default=30, ge=0, le=900)
    most_timeout_seconds: int = Field(alias="MOST_TIMEOUT_SECONDS", default=900, ge=60, le=900)
    most_items_per_message: int = Field(alias="MOST_ITEMS_PER_MESSAGE", default=1000, ge=1)

    # Where finance is told of a report; how long nobody can delete or replace what it has booked
    report_topic_arn: str = Field(alias="REPORT_TOPIC_ARN")
    export_retention_days: int = Field(alias="EXPORT_RETENTION_DAYS", default=2557, ge=1)

    memory_mb: int = Field(alias="AWS_LAMBDA_FUNCTION_MEMORY_SIZE", default=2048, ge=128)  # of the function itself

    # EARL's interval store, read through a role in EARL; its export, looked at through another; the run's own table, by its
    # name without the run date; meterdata's table here. Read units are those of one function, a second; 0: all.
    interval_table: str = Field(alias="INTERVAL_TABLE")
    interval_role_arn: str = Field(alias="INTERVAL_ROLE_ARN")
    interval_read_units: float = Field(alias="INTERVAL_READ_UNITS", default=0, ge=0)
    interval_export_role_arn: str = Field(alias="INTERVAL_EXPORT_ROLE_ARN")
    interval_table_prefix: str = Field(alias="INTERVAL_TABLE_PREFIX")
    run_interval_read_units: float = Field(alias="RUN_INTERVAL_READ_UNITS", default=0, ge=0)
    generated_interval_table: str = Field(alias="GENERATED_INTERVAL_TABLE")

    database_name: str = Field(alias="DATABASE_NAME", default="core")
    database_secret_prefix: str = Field(alias="DATABASE_SECRET_PREFIX")
    database_dns_name: str = Field(alias="DATABASE_DNS_NAME")
    hosted_zone_id: str = Field(alias="HOSTED_ZONE_ID")
    kms_key_arn: str = Field(alias="KMS_KEY_ARN")
    restore_subnet_group: str = Field(alias="RESTORE_SUBNET_GROUP")
    restore_parameter_group: str = Field(alias="RESTORE_PARAMETER_GROUP")
    restore_instance_class: str = Field(alias="RESTORE_INSTANCE_CLASS")
    restore_allocated_storage_gb: int = Field(alias="RESTORE_ALLOCATED_STORAGE_GB", default=0, ge=0)
    restore_iops: int = Field(alias="RESTORE_IOPS", default=0, ge=0)
    restore_throughput: int = Field(alias="RESTORE_THROUGHPUT", default=0, ge=0)  # MiB a second
    alarm_topic_arn: str = Field(alias="ALARM_TOPIC_ARN")
    restore_security_group: str = Field(alias="RESTORE_SECURITY_GROUP")

    eks_cluster: str = Field(alias="EKS_CLUSTER")
    eks_node_group: str = Field(alias="EKS_NODE_GROUP")
    eks_namespace: str = Field(alias="EKS_NAMESPACE", default="core")

    def queue_url(self, function: str) -> str:
        """URL of the queue that drives a function, by the function's key in the catalogue."""
        return f"{self.queue_url_prefix}{function}"

    def dead_letter_url(self, function: str) -> str:
        """URL of that queue's dead-letter queue."""
        return f"{self.queue_url_prefix}{function}-dlq"

    def machine_arn(self, step: str) -> str:
        """ARN of the state machine of a step."""
        return f"{self.state_machine_arn_prefix}{step}"

    def database_secret(self, role: str) -> str:
        """Name of the secret that holds a database role's password."""
        return f"{self.database_secret_prefix}-{role}"


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises InvalidInput naming every variable that is absent or wrong."""
    try:
        return Settings.model_validate(environ)
    except ValidationError as error:
        raise InvalidInput(f"environment of the function: {describe(error)}") from error
