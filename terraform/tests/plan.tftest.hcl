# What a plan must hold, whatever the environment.

variables {
  project_id  = "example-payments"
  environment = "dev"
  app_url     = "https://payments.example.com"
}

run "every_processor_is_a_function" {
  command = plan

  assert {
    condition = toset(keys(module.function)) == toset([
      "booking-processor", "payout-manager", "refund-processor", "reporting", "stripe-connect", "stripe-webhook",
    ])
    error_message = "The contract names six processors."
  }

  assert {
    condition = alltrue([
      for rewrite in jsondecode(file("../firebase.json")).hosting.rewrites :
      contains(keys(module.function), rewrite.run.serviceId) && rewrite.source == "/api/${rewrite.run.serviceId}"
    ])
    error_message = "Each Hosting rewrite must lead to a function of its name."
  }
}

run "only_the_webhook_function_holds_signing_secrets" {
  command = plan

  assert {
    condition = alltrue([
      for name, function in local.functions :
      contains(function.secrets, "STRIPE_WEBHOOK_SECRET") == (name == "stripe-webhook")
    ])
    error_message = "A signing secret is given to stripe-webhook and to nobody else."
  }

  assert {
    condition     = length(google_secret_manager_secret.secret) == 4
    error_message = "Four secrets: the key, one signing secret per endpoint, and the key of check-in codes."
  }
}

run "the_schedule_calls_the_actions_with_a_token" {
  command = plan

  assert {
    condition = {
      for name, job in google_cloud_scheduler_job.job :
      jsondecode(base64decode(job.http_target[0].body)).action => job.schedule
      } == {
      RECONCILE             = "30 4 * * *"
      RUN_MAINTENANCE       = "*/5 * * * *"
      RUN_SCHEDULED_PAYOUTS = "0 6 * * *"
    }
    error_message = "Three scheduled actions, maintenance every five minutes."
  }

  assert {
    condition = alltrue([
      for job in google_cloud_scheduler_job.job :
      job.http_target[0].oidc_token[0].audience == local.function_environment.SCHEDULER_AUDIENCE
      && job.http_target[0].oidc_token[0].service_account_email == local.function_environment.SCHEDULER_SERVICE_ACCOUNT
    ])
    error_message = "The functions must expect the token that the schedule sends."
  }
}

run "firestore_follows_the_shared_files" {
  command = plan

  assert {
    condition     = length(google_firestore_index.composite) == length(local.index_file.indexes)
    error_message = "Each composite index of firestore.indexes.json is planned, and none is there twice."
  }

  assert {
    condition = toset([
      for name, field in google_firestore_field.override : name if length(field.ttl_config) > 0
    ]) == toset(["idempotency/expireAt"])
    error_message = "Only idempotency records expire."
  }

  assert {
    condition     = google_firestore_database.default.delete_protection_state == "DELETE_PROTECTION_DISABLED"
    error_message = "A development database may be deleted."
  }
}

run "production_keeps_its_documents" {
  command = plan

  variables {
    environment = "prod"
  }

  assert {
    condition = (
      google_firestore_database.default.delete_protection_state == "DELETE_PROTECTION_ENABLED"
      && google_firestore_database.default.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    )
    error_message = "A production database is protected and can be restored."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    app_url              = "http://payments.example.com/"
    cors_allowed_origins = ["*"]
    environment          = "staging"
    log_level            = "LOUD"
    max_instances        = 0
    platform_country     = "Thailand"
    region               = "europe-west1"
  }

  expect_failures = [
    var.app_url, var.cors_allowed_origins, var.environment, var.log_level, var.max_instances, var.platform_country,
    var.region,
  ]
}
