"""The outside world in a box: payments, carrier, warehouse and mail, for development and tests."""
