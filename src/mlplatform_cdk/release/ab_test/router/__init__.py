"""A way to an A/B test for callers that hold no AWS client of their own."""
