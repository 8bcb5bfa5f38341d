"""What a role may do against what its code and its states call."""
