# Example values: give your own project and origin.
project_id  = "marketplace-payments-prod"
environment = "prod"
app_url     = "https://marketplace-payments-prod.web.app"

min_instances = 1
