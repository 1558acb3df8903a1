# The functions' roles become members of a Kubernetes group; the manifest says what the group may do. No EKS access policy
# is associated: even the narrowest would let the functions edit everything in the namespace.
resource "aws_eks_access_entry" "scaler" {
  for_each = var.scaler_roles

  cluster_name      = var.cluster_name
  principal_arn     = each.value
  kubernetes_groups = [var.kubernetes_group]
  type              = "STANDARD"
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  for_each = var.api_clients == null ? {} : var.api_clients.client_security_group_ids

  security_group_id            = var.api_clients.cluster_security_group_id
  description                  = "Kubernetes API from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value
}

locals {
  cluster_arn    = "arn:aws:eks:${var.region}:${var.account_id}:cluster/${var.cluster_name}"
  node_group_arn = "arn:aws:eks:${var.region}:${var.account_id}:nodegroup/${var.cluster_name}/${var.node_group_name}/*"
}
