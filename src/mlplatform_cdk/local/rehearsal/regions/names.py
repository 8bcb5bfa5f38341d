"""What the rehearsal's own app is called, and where it runs: for those who must not load CDK, too."""

REGIONS = ("eu-west-1", "us-east-1")
# The instances of each region's endpoint at rest, and what they may become.
AT_REST, AT_MOST = 1, 4
ZONE, DOMAIN = "example.com", "models.example.com"
