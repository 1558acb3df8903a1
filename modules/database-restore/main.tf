locals {
  # Names of what a run creates; this module only permits it. src/shared/steps/restore.py uses the same names.
  stack_name    = "${var.prefix}-*-bua-sql"
  copy_name     = "${var.prefix}-bua-*"
  template_key  = "templates/bua-sql.json"
  secret_prefix = "${var.prefix}-bua-db"

  # What a run needs, whatever production's own group has: that does not come along with a snapshot.
  parameters = {
    "rds.force_ssl"              = "1"
    "log_min_duration_statement" = "10000"
    "timezone"                   = "UTC"
    "work_mem"                   = "65536"   # kB: 300 backends at most, of which some tens sort at a time
    "maintenance_work_mem"       = "2097152" # kB
    "max_wal_size"               = "65536"   # MB: a run writes in hours what production writes in weeks
    "checkpoint_timeout"         = "1800"
    "random_page_cost"           = "1.1"
    "effective_io_concurrency"   = "200"
  }
}

resource "aws_db_subnet_group" "this" {
  name        = "${var.prefix}-bua"
  description = "Private subnets of the temporary database of the accrual"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.prefix}-bua-postgres${var.major_version}"
  description = "Settings of the temporary database of the accrual"
  family      = "postgres${var.major_version}"

  # For an upgrade of production the new family must exist beside the old one before anything refers to it.
  lifecycle {
    create_before_destroy = true
  }

  # Applied by the reboot with which CloudFormation assigns the group; static parameters can be applied in no other way.
  dynamic "parameter" {
    for_each = merge(local.parameters, var.parameters)

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }
}

resource "aws_security_group" "this" {
  # checkov:skip=CKV2_AWS_5: a run attaches it to the instance that its CloudFormation stack creates
  name        = "${var.prefix}-bua-sql"
  description = "Temporary database of the accrual" # AWS allows no apostrophe here
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = each.value
}

resource "aws_s3_object" "template" {
  bucket       = var.template_bucket
  key          = local.template_key
  source       = "${path.module}/bua-sql.template.json"
  source_hash  = filemd5("${path.module}/bua-sql.template.json")
  content_type = "application/json"
  kms_key_id   = var.kms_key_arn
}

resource "aws_route53_record" "this" {
  zone_id = var.hosted_zone_id
  name    = var.dns_name
  type    = "CNAME"
  ttl     = 60
  records = ["not-restored.invalid"]

  # The restore step changes it to the run's instance.
  lifecycle {
    ignore_changes = [records]
  }
}
