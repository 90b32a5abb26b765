# Example values: give your own project and origin.
project_id  = "marketplace-payments-dev"
environment = "dev"
app_url     = "https://marketplace-payments-dev.web.app"
log_level   = "DEBUG"

cors_allowed_origins = ["http://localhost:3000"]
max_instances        = 5
