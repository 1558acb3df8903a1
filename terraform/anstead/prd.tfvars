environment = "prd"

# Replace with the account's own values (docs/deployment.md).
account_id                = "444444444444"
earl_account_id           = "333333333333"
earl_shared_key_arn       = "arn:aws:kms:ap-southeast-2:333333333333:key/00000000-0000-0000-0000-000000000000"
vpc_id                    = "vpc-00000000000000000"
private_subnet_ids        = ["subnet-00000000000000000", "subnet-11111111111111111"]
hosted_zone_id            = "Z00000000000000000000"
cluster_security_group_id = "sg-00000000000000000"
alarm_emails              = ["accruals-oncall@example.com"]
finance_emails            = ["revenue-accounting@example.com"]
