"""The image that holds every job of the library; its first argument names the step."""
