output "environment" {
  description = "The functions' environment variables for the restored database."
  value = {
    DATABASE_SECRET_PREFIX  = local.secret_prefix
    DATABASE_DNS_NAME       = aws_route53_record.this.name
    HOSTED_ZONE_ID          = var.hosted_zone_id
    KMS_KEY_ARN             = var.kms_key_arn
    RESTORE_SUBNET_GROUP    = aws_db_subnet_group.this.name
    RESTORE_PARAMETER_GROUP = aws_db_parameter_group.this.name
    ALARM_TOPIC_ARN         = var.alarm_topic_arn
    RESTORE_SECURITY_GROUP  = aws_security_group.this.id
  }
}

output "security_group_id" {
  description = "Security group of the restored database."
  value       = aws_security_group.this.id
}

output "secret_arns" {
  description = "ARNs of the secrets that hold the passwords, by role."
  value       = { for role, secret in aws_secretsmanager_secret.password : role => secret.arn }
}

output "authority_secret_arn" {
  description = "ARN of the secret that holds the certificate authorities."
  value       = aws_secretsmanager_secret.authority.arn
}

output "connect_statements" {
  description = "Permissions of a function that connects as the role lambda."
  value = [
    {
      sid       = "DatabasePassword"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_secretsmanager_secret.password["lambda"].arn, aws_secretsmanager_secret.authority.arn]
    },
  ]
}

output "administer_statements" {
  description = "Permissions of a function that also connects as the master role."
  value = [
    {
      sid       = "DatabaseAdminPassword"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_secretsmanager_secret.password[var.admin_role].arn]
    },
  ]
}

output "restore_statements" {
  description = "Permissions of the function that restores and terminates, action by action."
  value       = local.restore_statements
}
