"""The code that takes away what CloudFormation does not know of, before the stack that it belongs to goes."""
