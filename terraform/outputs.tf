output "function_urls" {
  description = "Address of each function; the webhook endpoints at Stripe point to stripe-webhook."
  value       = { for name, function in module.function : name => function.uri }
}

output "scheduler_service_account" {
  description = "Service account of the scheduled calls."
  value       = google_service_account.scheduler.email
}

output "secret_names" {
  description = "Secrets that need a version before the functions can start."
  value       = sort([for secret in google_secret_manager_secret.secret : secret.secret_id])
}
