"""Answers for a name as Route 53 would, by the records and health checks that are deployed in the embedded AWS."""
