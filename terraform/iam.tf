# Who may do what. Each function's right to its secrets is in the module, beside the function.

locals {
  production = var.environment == "prod"
}

# Reads and writes documents; Firestore has no narrower role for one collection.
resource "google_project_iam_member" "documents" {
  for_each = local.functions

  project = var.project_id
  role    = "roles/datastore.user"
  member  = module.function[each.key].service_account
}

resource "google_service_account" "build" {
  account_id   = "payments-build"
  display_name = "Builds the functions"
}

resource "google_project_iam_member" "build" {
  project = var.project_id
  role    = "roles/cloudbuild.builds.builder"
  member  = google_service_account.build.member
}
