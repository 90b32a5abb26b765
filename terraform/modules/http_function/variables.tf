variable "build_service_account" {
  description = "Resource name of the service account that builds the function."
  type        = string
}

variable "concurrency" {
  description = "Requests that one instance serves at once; beyond eight threads Python gains nothing."
  type        = number
  default     = 8
}

variable "entry_point" {
  description = "Name of the function in main.py."
  type        = string
}

variable "environment_variables" {
  description = "Environment of the function, without secrets."
  type        = map(string)

  validation {
    condition = length(setintersection(keys(var.environment_variables), [
      "EMULATOR_CLOCK_FILE", "FIREBASE_AUTH_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST", "STRIPE_API_BASE",
    ])) == 0
    error_message = "Switches of the local stack must not reach a deployed function."
  }
}

variable "max_instances" {
  description = "Most instances at once."
  type        = number
}

variable "memory" {
  description = "Memory of an instance, for example 512Mi."
  type        = string
}

variable "min_instances" {
  description = "Instances kept warm."
  type        = number
}

variable "name" {
  description = "Name of the function and of its Cloud Run service."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,26}$", var.name))
    error_message = "name must be 4 to 27 lower-case letters, digits and hyphens, so that fn-NAME is a service account's id."
  }
}

variable "region" {
  description = "Region of the function."
  type        = string
}

variable "secrets" {
  description = "Environment variable to the id of the secret whose newest version it gets."
  type        = map(string)
}

variable "source_archive" {
  description = "Bucket and object of the archive with main.py at its root."
  type = object({
    bucket = string
    object = string
  })
}

variable "timeout_seconds" {
  description = "Longest time for one request, seconds."
  type        = number
}
