"""The function between the API and the endpoint: rows, the user's code, the model, and answers kept by key."""
