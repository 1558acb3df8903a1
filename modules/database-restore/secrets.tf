# Created empty: the restore step generates and writes the passwords, so that Terraform's state never contains one.
resource "aws_secretsmanager_secret" "password" {
  # checkov:skip=CKV2_AWS_57: every restore sets new passwords; between runs there is no database whose password could be rotated
  for_each = var.database_roles

  name                    = "${local.secret_prefix}-${each.key}"
  description             = "Password of role ${each.key} in the accrual's restored database; JSON of username and password"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

# Not secret, but the functions read it the same way. docs/deployment.md explains how to fill it.
resource "aws_secretsmanager_secret" "authority" {
  # checkov:skip=CKV2_AWS_57: a certificate authority's public certificates are replaced when AWS announces new ones
  name                    = "${local.secret_prefix}-ca"
  description             = "PEM of the certificate authorities that sign this region's RDS servers"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}
