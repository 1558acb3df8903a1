variable "cluster_name" {
  description = "The existing EKS cluster."
  type        = string
}

variable "account_id" {
  description = "The cluster's account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "The cluster's region."
  type        = string
}

variable "node_group_name" {
  description = "The node group that runs scale, e.g. tst-anstead-bua."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", var.node_group_name))
    error_message = "A node group's name has at most 63 letters, digits, - and _."
  }
}

variable "node_role_name" {
  description = "Name of the nodes' role."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the nodes."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "At least one subnet."
  }
}

variable "instance_types" {
  description = "Instance types of the nodes."
  type        = list(string)
  default     = ["m7g.xlarge"]

  validation {
    condition     = length(var.instance_types) >= 1
    error_message = "At least one instance type."
  }
}

variable "ami_type" {
  description = "Image of the nodes; it has to fit the instance types' architecture."
  type        = string
  default     = "AL2023_ARM_64_STANDARD"
}

variable "max_nodes" {
  description = "Most nodes that a run may ask for (bua-scaleup-meterdata asks for 10)."
  type        = number
  default     = 10

  validation {
    condition     = var.max_nodes >= 10
    error_message = "bua-scaleup-meterdata scales to 10 nodes."
  }
}

variable "volume_gb" {
  description = "Root volume of a node in GB."
  type        = number
  default     = 50

  validation {
    condition     = var.volume_gb >= 20
    error_message = "The image alone needs 20 GB."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the platform's services."
  type        = string
  default     = "core"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A Kubernetes name."
  }
}

variable "deployments" {
  description = "Deployments that a run may scale, and no others."
  type        = list(string)
  default     = ["workflow", "meterdata"]

  validation {
    condition     = length(var.deployments) >= 1 && alltrue([for name in var.deployments : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "At least one deployment, each a Kubernetes name."
  }
}

variable "kubernetes_group" {
  description = "Kubernetes group of the functions that scale."
  type        = string
  default     = "bua-scaler"

  validation {
    condition     = !startswith(var.kubernetes_group, "system:")
    error_message = "EKS refuses access entries for groups that begin with system:."
  }
}

variable "scaler_roles" {
  description = "Roles of the functions that scale deployments: ARNs by a name for the reader."
  type        = map(string)
}

variable "api_clients" {
  description = "Security groups that reach the cluster's API, by a name for the reader, and the cluster's own; null where the API is reached otherwise."
  type = object({
    cluster_security_group_id = string
    client_security_group_ids = map(string)
  })
  default = null
}
