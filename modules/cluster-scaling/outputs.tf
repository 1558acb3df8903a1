output "rbac_manifest" {
  description = "Kubernetes manifest that lets the functions scale the deployments; apply it with kubectl."
  value = templatefile("${path.module}/rbac.yaml", {
    group       = var.kubernetes_group
    namespace   = var.namespace
    deployments = jsonencode(var.deployments)
  })
}

output "node_group_name" {
  description = "Name of the node group."
  value       = aws_eks_node_group.this.node_group_name
}

output "auto_scaling_group_name" {
  description = "The Auto Scaling group that EKS made for the node group, by which CloudWatch knows its machines."
  value       = aws_eks_node_group.this.resources[0].autoscaling_groups[0].name
}

output "node_role_arn" {
  description = "ARN of the nodes' role."
  value       = aws_iam_role.node.arn
}

# Built from names, not from resources: the access entries need the functions' roles, and their policies need this.
output "scale_statements" {
  description = "Permissions of the function that scales nodes and replicas."
  value = [
    {
      sid       = "NodeGroup"
      actions   = ["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"]
      resources = [local.node_group_arn]
    },
    {
      sid       = "Cluster"
      actions   = ["eks:DescribeCluster"]
      resources = [local.cluster_arn]
    },
  ]
}
