"""The local stack: Firestore and Stripe emulators, the functions, a gateway and a demo.

Nothing here imports the functions or what they share (one list of event names apart), so that
a mistake there cannot hide itself here.
"""
