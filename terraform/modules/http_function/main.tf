# One HTTP function of the second generation, with a service account of its own.

resource "google_service_account" "this" {
  account_id   = "fn-${var.name}"
  display_name = "Runs the function ${var.name}"
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = var.secrets

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this.member
}

resource "google_cloudfunctions2_function" "this" {
  name     = var.name
  location = var.region

  build_config {
    runtime         = "python311"
    entry_point     = var.entry_point
    service_account = var.build_service_account

    source {
      storage_source {
        bucket = var.source_archive.bucket
        object = var.source_archive.object
      }
    }
  }

  service_config {
    available_memory                 = var.memory
    available_cpu                    = "1"
    environment_variables            = var.environment_variables
    ingress_settings                 = "ALLOW_ALL"
    max_instance_count               = var.max_instances
    max_instance_request_concurrency = var.concurrency
    min_instance_count               = var.min_instances
    service_account_email            = google_service_account.this.email
    timeout_seconds                  = var.timeout_seconds

    dynamic "secret_environment_variables" {
      for_each = var.secrets

      content {
        key        = secret_environment_variables.key
        project_id = google_service_account.this.project
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }
  }

  # Without the right to read its secrets the first revision would not start.
  depends_on = [google_secret_manager_secret_iam_member.reads]
}

# Open at the edge, because the function itself decides who may call: Firebase ID tokens, the
# scheduler's token and Stripe's signature are none of them Cloud IAM identities.
resource "google_cloud_run_v2_service_iam_member" "public" {
  name     = google_cloudfunctions2_function.this.name
  location = google_cloudfunctions2_function.this.location
  role     = "roles/run.invoker"
  member   = "allUsers"
}
