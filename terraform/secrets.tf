# Stripe's key and the endpoints' signing secrets. Only their names are here: an operator adds the
# values (gcloud secrets versions add NAME --data-file=-) before the first deployment of the
# functions, so that no value ever is in a plan or in the state.

locals {
  stripe_secrets = toset([
    "STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET",
  ])
}

resource "google_secret_manager_secret" "stripe" {
  for_each = local.stripe_secrets

  secret_id = each.key

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}
