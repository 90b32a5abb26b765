# Stripe's key, the endpoints' signing secrets, and the key that check-in codes are signed with. Only
# their names are here: an operator adds the values (gcloud secrets versions add NAME --data-file=-)
# before the first deployment of the functions, so that no value ever is in a plan or in the state.

locals {
  secret_names = toset([
    "CHECK_IN_KEY", "STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET",
  ])
}

resource "google_secret_manager_secret" "secret" {
  for_each = local.secret_names

  secret_id = each.key

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}
