# The database, its indexes and time-to-live policies (from firestore.indexes.json, which the
# Firebase CLI reads too), and its rules.

locals {
  index_file = jsondecode(file("${path.module}/../firestore.indexes.json"))

  indexes = {
    for index in local.index_file.indexes :
    join("/", concat([index.collectionGroup], [for f in index.fields : "${f.fieldPath}:${lower(f.order)}"])) => index
  }
  field_overrides = {
    for override in local.index_file.fieldOverrides :
    "${override.collectionGroup}/${override.fieldPath}" => override
  }
}

resource "google_firestore_database" "default" {
  name                              = "(default)"
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  delete_protection_state           = local.production ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = local.production ? "ABANDON" : "DELETE"
  point_in_time_recovery_enablement = local.production ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"

  depends_on = [google_project_service.api]
}

resource "google_firestore_index" "composite" {
  for_each = local.indexes

  database    = google_firestore_database.default.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path = fields.value.fieldPath
      order      = fields.value.order
    }
  }
}

# Every override in the file takes the automatic indexes away: maps that nobody queries would
# cost a write per entry, and a time that only grows would be a hot spot.
resource "google_firestore_field" "override" {
  for_each = local.field_overrides

  database   = google_firestore_database.default.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {}

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []

    content {}
  }

  lifecycle {
    precondition {
      condition     = length(each.value.indexes) == 0
      error_message = "firestore.tf only knows overrides without indexes; ${each.key} has some."
    }
  }
}

resource "google_firebaserules_ruleset" "firestore" {
  source {
    files {
      name    = "firestore.rules"
      content = file("${path.module}/../firestore.rules")
    }
  }

  # The release must move to the new ruleset before the old one can go.
  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_firestore_database.default]
}

resource "google_firebaserules_release" "firestore" {
  name         = "cloud.firestore"
  ruleset_name = google_firebaserules_ruleset.firestore.name
}
