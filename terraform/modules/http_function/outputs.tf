output "service_account" {
  description = "Service account of the function, as an IAM member."
  value       = google_service_account.this.member
}

output "uri" {
  description = "Address of the function."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
