"""Whole releases on the embedded AWS, good ones and bad ones, while callers ask: what becomes of their requests.

The code under test is the deployed template's. The embedded AWS is a rehearsal: it shows nothing of AWS's own
behaviour.
"""
