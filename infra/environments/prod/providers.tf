# Every service is asked at AWS_ENDPOINT_URL where that is set.
provider "aws" {
  region                      = var.region
  s3_use_path_style           = var.is_emulated
  skip_credentials_validation = var.is_emulated
  skip_requesting_account_id  = var.is_emulated
}
