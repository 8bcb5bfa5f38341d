"""Raw CSV files become a versioned dataset of three splits."""
