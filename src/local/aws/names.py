"""The names of everything in the two accounts, as Terraform renders them, for the whole local stack."""

ENVIRONMENT = "tst"
REGION = "ap-southeast-2"
EARL = "111111111111"  # production: gives snapshots and interval reads
ANSTEAD = "222222222222"  # does the work
ACCOUNTS = {"EARL": EARL, "ANSTEAD": ANSTEAD}
TIME_ZONE = "Australia/Sydney"
DATABASE_FOLDER = "databases"  # in the stack's directory, like the next one
AUTHORITY_FILE = "authority.pem"  # what signs the databases' and the cluster's certificates

EARL_PREFIX = f"{ENVIRONMENT}-earl"
PREFIX = f"{ENVIRONMENT}-anstead"

CONTROL_TABLE = f"{PREFIX}-ddb-bua"
EARL_INTERVAL_TABLE = f"{EARL_PREFIX}-ddb-interval"
IMPORT_BUCKET = f"{EARL_PREFIX}-s3-interval-import"  # while a portfolio is loaded
INTERVAL_TABLE = f"{PREFIX}-ddb-interval"  # meterdata's in ANSTEAD
RUN_INTERVAL_TABLE = f"{PREFIX}-ddb-bua-interval-"  # with the run date: the run's own
INTERVAL_EXPORT_BUCKET = f"{EARL_PREFIX}-s3-bua-interval-export"
BUCKET = f"{PREFIX}-s3-bua"
INTEGRATION_BUCKET = f"{PREFIX}-s3-rw-integration"
TEMPLATE_KEY = "templates/bua-sql.json"

PRODUCTION = f"{EARL_PREFIX}-core"
DATABASE = "core"
MASTER = "core_admin"
DATABASE_ROLES = (MASTER, "workflow", "meterdata", "lambda")
SECRET_PREFIX = f"{PREFIX}-bua-db"
PRODUCTION_SECRET = f"{EARL_PREFIX}-core-db-{MASTER}"

REPORT_TOPIC = f"{PREFIX}-sns-bua-report"
TOPIC = f"{EARL_PREFIX}-sns-bua-snapshot"
INTERVAL_ROLE = f"{EARL_PREFIX}-role-bua-interval-read"
INTERVAL_EXPORT_ROLE = f"{EARL_PREFIX}-role-bua-interval-export"
SHARED_KEY_ALIAS = f"alias/{EARL_PREFIX}-kms-bua-snapshot"
KEY_ALIAS = f"alias/{PREFIX}-kms-bua"

EKS_CLUSTER = f"{PREFIX}-eks"
EKS_NODE_GROUP = f"{PREFIX}-bua"
EKS_NAMESPACE = "core"
SERVICES = ("workflow", "meterdata")

SUBNET_GROUP = f"{PREFIX}-bua"
PARAMETER_GROUP = f"{PREFIX}-bua-postgres17"
ZONE = "anstead.internal"
DATABASE_DNS_NAME = f"sql.bua.{ENVIRONMENT}.{ZONE}"


def function_name(key: str) -> str:
    """Name of the function with this key in the catalogue."""
    return f"{PREFIX}-lambda-bua-{key}"


def queue_name(key: str) -> str:
    """Name of the queue that drives a function."""
    return f"{PREFIX}-sqs-bua-{key}"


def role_name(account: str, purpose: str) -> str:
    """Name of a role in EARL or ANSTEAD."""
    return f"{ENVIRONMENT}-{account.lower()}-role-bua-{purpose}"


def arn(service: str, account: str, resource: str) -> str:
    """ARN of a regional resource."""
    return f"arn:aws:{service}:{REGION}:{account}:{resource}"


def machine_arn(account: str, step: str) -> str:
    """ARN of a step's state machine; `account` is EARL or ANSTEAD."""
    return arn("states", ACCOUNTS[account], f"stateMachine:{ENVIRONMENT}-{account.lower()}-{step}")
