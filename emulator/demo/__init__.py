"""The life of a marketplace, played over HTTP against the local stack; read ``run.py`` first.

It is a client like any other: it knows the API, Stripe's SDK and Firestore, and nothing of how the
functions do what they do.
"""
