# The services of Google Cloud that the rest needs.

locals {
  apis = toset([
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudscheduler", "firebaserules",
    "firestore", "iam", "identitytoolkit", "run", "secretmanager",
  ])
}

resource "google_project_service" "api" {
  for_each = local.apis

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
