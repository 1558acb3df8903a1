# The run ledger: the current run, its lock, each step's attempts and counts. src/shared/ledger.py lists the items.
resource "aws_dynamodb_table" "control" {
  name                        = var.control_table_name
  billing_mode                = "PAY_PER_REQUEST" # a few hundred requests a run
  hash_key                    = "control_key"
  range_key                   = "run_date"
  deletion_protection_enabled = var.enable_deletion_protection

  attribute {
    name = "control_key"
    type = "S"
  }

  attribute {
    name = "run_date"
    type = "S"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  point_in_time_recovery {
    enabled = true
  }
}

# meterdata loads a run's generated files into it. Every run generates them again.
resource "aws_dynamodb_table" "interval" {
  count = var.interval_table_name == null ? 0 : 1

  name                        = var.interval_table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = false

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  point_in_time_recovery {
    enabled = true
  }
}
