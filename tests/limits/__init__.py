"""What Stripe's hold limits make of bookings, on stacks whose platforms are in other countries."""
