# Empty: the restore step makes the passwords and writes them, so that Terraform's state never holds one.
resource "aws_secretsmanager_secret" "password" {
  # checkov:skip=CKV2_AWS_57: every restore sets new passwords; rotating between runs would rotate the password of nothing
  for_each = var.database_roles

  name                    = "${local.secret_prefix}-${each.key}"
  description             = "Password of role ${each.key} in the accrual's restored database; JSON of username and password"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

# Not secret, but read in the same way by the functions; docs/deployment.md says how it is filled.
resource "aws_secretsmanager_secret" "authority" {
  # checkov:skip=CKV2_AWS_57: a certificate authority's public certificates are replaced when AWS announces new ones
  name                    = "${local.secret_prefix}-ca"
  description             = "PEM of the certificate authorities that RDS signs this region's servers with"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}
