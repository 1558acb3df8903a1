resource "aws_security_group" "functions" {
  # checkov:skip=CKV2_AWS_5: the functions are in it; checkov does not look into their module
  name        = "${local.prefix}-bua-functions"
  description = "Functions of the accrual that connect to the database" # AWS allows no apostrophe here
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.functions.id
  description                  = "The restored database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = module.database_restore.security_group_id
}

resource "aws_vpc_security_group_egress_rule" "apis" {
  security_group_id = aws_security_group.functions.id
  description       = "AWS APIs and the API of the cluster; their addresses change"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}
