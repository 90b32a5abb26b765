variable "app_url" {
  description = "Public origin of the application, without a slash at the end. Stripe sends people back to it; it also is the audience of the scheduler's tokens."
  type        = string

  validation {
    condition     = can(regex("^https://[^/]+$", var.app_url))
    error_message = "app_url must be an https origin such as https://example.com, without a path."
  }
}

variable "cors_allowed_origins" {
  description = "Origins whose pages may call the functions. Empty: only the application's own, through Hosting."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_allowed_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "Each origin must be a scheme and a host; a wildcard is not allowed."
  }
}

variable "environment" {
  description = "Which environment this is; production cannot be deleted by accident."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be dev or prod."
  }
}

variable "firestore_location" {
  description = "Where the documents are kept; it can never be changed."
  type        = string
  default     = "nam5"
}

variable "log_level" {
  description = "Least severity that is logged."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "max_instances" {
  description = "Most instances of one function. Together they must stay under Stripe's request limit."
  type        = number
  default     = 20

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances must be a whole number from 1 to 100."
  }
}

variable "min_instances" {
  description = "Instances of booking-processor and stripe-webhook that are kept warm."
  type        = number
  default     = 0

  validation {
    condition     = var.min_instances >= 0 && var.min_instances <= 10 && floor(var.min_instances) == var.min_instances
    error_message = "min_instances must be a whole number from 0 to 10."
  }
}

variable "platform_country" {
  description = "Country of the platform's own Stripe account (ISO 3166). It decides how long customers' money may be held: 90 days, two years in the US, ten days in Thailand."
  type        = string
  default     = "US"

  validation {
    condition     = can(regex("^[A-Z]{2}$", var.platform_country))
    error_message = "platform_country must be two capitals such as US."
  }
}

variable "project_id" {
  description = "Google Cloud project; one per environment, since names are not prefixed."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be 6 to 30 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "region" {
  description = "Region of the functions and of the schedule. firebase.json names the same one."
  type        = string
  default     = "us-central1"

  validation {
    condition = alltrue([
      for rewrite in jsondecode(file("${path.module}/../firebase.json")).hosting.rewrites :
      rewrite.run.region == var.region
    ])
    error_message = "region must be the one that the Hosting rewrites in firebase.json name."
  }
}

variable "schedule_time_zone" {
  description = "IANA time zone in which the daily jobs' hours are meant."
  type        = string
  default     = "Etc/UTC"
}
