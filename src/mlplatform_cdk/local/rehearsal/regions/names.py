"""What the rehearsal's own app is called, and where it runs: for those who must not load CDK, too."""

REGIONS = ("eu-west-1", "us-east-1")
ZONE, DOMAIN = "example.com", "models.example.com"
