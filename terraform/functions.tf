# The six functions: one archive, six entry points (docs/decisions/0004-one-archive-six-entry-points.md).

locals {
  root = "${path.module}/.."

  # What the cloud gets; .gcloudignore says the same to gcloud.
  source_files = setunion([
    for pattern in ["main.py", "requirements.txt", "common/**/*.py", "functions/**/*.py"] :
    fileset(local.root, pattern)
  ]...)

  # What differs between them; the rest is the module's default. Only the webhook function holds
  # the endpoints' signing secrets.
  functions = {
    booking-processor = {
      memory        = "512Mi"
      min_instances = var.min_instances
      secrets       = ["CHECK_IN_KEY", "STRIPE_SECRET_KEY"]
      timeout       = 120
    }
    payout-manager = {
      memory        = "512Mi"
      min_instances = 0
      secrets       = ["STRIPE_SECRET_KEY"]
      timeout       = 540
    }
    refund-processor = {
      memory        = "512Mi"
      min_instances = 0
      secrets       = ["STRIPE_SECRET_KEY"]
      timeout       = 60
    }
    reporting = {
      memory        = "1Gi"
      min_instances = 0
      secrets       = ["STRIPE_SECRET_KEY"]
      timeout       = 540
    }
    stripe-connect = {
      memory        = "512Mi"
      min_instances = 0
      secrets       = ["STRIPE_SECRET_KEY"]
      timeout       = 60
    }
    stripe-webhook = {
      memory        = "512Mi"
      min_instances = var.min_instances
      secrets       = ["STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"]
      timeout       = 60
    }
  }

  function_environment = {
    APP_URL                   = var.app_url
    CORS_ALLOWED_ORIGINS      = join(",", var.cors_allowed_origins)
    GOOGLE_CLOUD_PROJECT      = var.project_id
    LOG_LEVEL                 = var.log_level
    PLATFORM_COUNTRY          = var.platform_country
    SCHEDULER_AUDIENCE        = local.scheduler_audience
    SCHEDULER_SERVICE_ACCOUNT = google_service_account.scheduler.email
  }
}

data "archive_file" "source" {
  type             = "zip"
  output_path      = "${path.module}/.build/functions.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.source_files

    content {
      content  = file("${local.root}/${source.value}")
      filename = source.value
    }
  }
}

resource "google_storage_bucket" "source" {
  name                        = "${var.project_id}-functions-source"
  location                    = var.region
  force_destroy               = true
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 90
    }
  }
}

# Named by its content: a changed source is a new object, and that is what redeploys the functions.
resource "google_storage_bucket_object" "source" {
  name   = "functions-${data.archive_file.source.output_md5}.zip"
  bucket = google_storage_bucket.source.name
  source = data.archive_file.source.output_path
}

module "function" {
  source   = "./modules/http_function"
  for_each = local.functions

  name        = each.key
  entry_point = replace(each.key, "-", "_")
  region      = var.region
  environment_variables = merge(local.function_environment, {
    # What a request has before it answers 503 by itself; the platform would cut it off unanswered.
    REQUEST_DEADLINE_SECONDS = each.value.timeout - 10
  })
  memory                = each.value.memory
  max_instances         = var.max_instances
  min_instances         = each.value.min_instances
  timeout_seconds       = each.value.timeout
  build_service_account = google_service_account.build.id

  secrets = {
    for name in each.value.secrets : name => google_secret_manager_secret.secret[name].secret_id
  }
  source_archive = {
    bucket = google_storage_bucket.source.name
    object = google_storage_bucket_object.source.name
  }

  depends_on = [google_project_iam_member.build, google_project_service.api]
}
