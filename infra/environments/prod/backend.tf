# Where the state lies is said when it is begun: terraform init -backend-config=backend.hcl
terraform {
  backend "s3" {
    key          = "windrow/prod.tfstate"
    encrypt      = true
    use_lockfile = true # S3 locks by itself; there is no table
  }
}
