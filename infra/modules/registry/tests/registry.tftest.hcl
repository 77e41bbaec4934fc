mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix      = "farm"
  services    = ["ingest", "writer"]
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/given"
}

run "each_service_has_a_repository_of_its_own" {
  assert {
    condition     = toset(values(aws_ecr_repository.service)[*].name) == toset(["farm-ingest", "farm-writer"])
    error_message = "Repositories are named after the deployment and the service."
  }
}

run "what_was_pushed_stays_what_it_was" {
  assert {
    condition = alltrue([
      for repository in aws_ecr_repository.service :
      repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push &&
      repository.encryption_configuration[0].encryption_type == "KMS"
    ])
    error_message = "Repositories are immutable, scanned and encrypted."
  }
}

run "a_roll_back_finds_its_image" {
  command = plan

  variables {
    kept_images = 9
  }

  expect_failures = [var.kept_images]
}
