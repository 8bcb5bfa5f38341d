"""What Systems Manager runs to break and to mend: each module is one script, of the standard library and boto3."""
