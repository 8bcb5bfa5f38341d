"""Functions of the runbooks' documents: each file goes there whole, so that none imports another of ours."""
