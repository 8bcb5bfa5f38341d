"""What Systems Manager runs on a game day: one script, of the standard library and boto3."""
