"""Waybill against a bare Temporal workflow that makes as many calls: ``python -m bench``."""
