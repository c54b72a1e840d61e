"""Asking GES: what is due, within the quota, recorded and planned again. The only door to GES."""
