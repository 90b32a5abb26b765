# What happens by the clock. Cloud Scheduler calls the functions as a service account that only
# this purpose has; the functions check its email and the audience.

locals {
  scheduler_audience = var.app_url

  jobs = {
    reconcile = {
      action      = "RECONCILE"
      description = "Compares the ledger with Stripe"
      function    = "reporting"
      schedule    = "30 4 * * *"
    }
    run-maintenance = {
      action      = "RUN_MAINTENANCE"
      description = "Expires unpaid holds, completes ended bookings, finishes what was left half done"
      function    = "booking-processor"
      schedule    = "*/5 * * * *"
    }
    run-scheduled-payouts = {
      action      = "RUN_SCHEDULED_PAYOUTS"
      description = "Queues the payouts that are due today"
      function    = "payout-manager"
      schedule    = "0 6 * * *"
    }
  }
}

resource "google_service_account" "scheduler" {
  account_id   = "payments-scheduler"
  display_name = "Calls the scheduled actions"
}

resource "google_cloud_scheduler_job" "job" {
  for_each = local.jobs

  name             = each.key
  description      = each.value.description
  region           = var.region
  schedule         = each.value.schedule
  time_zone        = var.schedule_time_zone
  attempt_deadline = "${local.functions[each.value.function].timeout}s"

  # Each of these actions may be repeated: a second run finds the work done.
  retry_config {
    retry_count          = 3
    min_backoff_duration = "30s"
    max_backoff_duration = "300s"
  }

  http_target {
    http_method = "POST"
    uri         = module.function[each.value.function].uri
    body        = base64encode(jsonencode({ action = each.value.action }))
    headers     = { "Content-Type" = "application/json" }

    oidc_token {
      audience              = local.scheduler_audience
      service_account_email = google_service_account.scheduler.email
    }
  }
}
