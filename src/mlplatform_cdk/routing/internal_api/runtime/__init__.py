"""What CloudFormation cannot ask AWS for an internal API."""
