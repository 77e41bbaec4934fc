"""Takes records over HTTP and answers once S3 holds them."""
