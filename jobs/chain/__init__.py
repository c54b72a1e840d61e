"""How replies are chained and sealed, so that a change shows.

Plain Python: anybody can compute it again.
"""
