"""The resource types, by what they are for; each module has ``KINDS``, type to kind."""
