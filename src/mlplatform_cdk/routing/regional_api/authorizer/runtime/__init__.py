"""The code of the function that API Gateway asks about a token."""
