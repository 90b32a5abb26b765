terraform {
  required_version = ">= 1.9"

  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # The bucket is given per environment: terraform init -backend-config=bucket=...
  backend "gcs" {
    prefix = "marketplace-payments"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  default_labels = {
    app         = "marketplace-payments"
    environment = var.environment
  }
}
