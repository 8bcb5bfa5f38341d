"""The code that builds an image while a stack is deployed."""
