# The same rendering as src/artifacts/machines.py makes; a test compares them. No resources: it runs without a provider.
locals {
  # One document, so that a machine can use what the blocks before it name. JSON writes < and & as \u003c and \u0026, which
  # Step Functions reads back.
  document = yamldecode(join("\n", [for path in var.template_files : file(path)]))
  template = jsonencode({ for key, value in local.document : key => value if key != "blocks" })

  # A hyphen is no character of a placeholder.
  given = merge(
    { for key, arn in var.calls.functions : "function_${replace(key, "-", "_")}" => arn },
    { for key, queue in var.calls.queues : "queue_${replace(key, "-", "_")}" => queue.url },
    { for key, arn in var.calls.machines : "machine_${replace(key, "-", "_")}" => arn },
    var.values,
  )
  placeholders = merge({ step = var.step }, local.given)

  used    = toset(flatten(regexall("\\$\\{([^}]*)\\}", local.template)))
  unknown = setsubtract(local.used, keys(local.placeholders))
  unused  = setsubtract(keys(local.given), local.used)
}
