"""Charts and time axes as SVG figures; no queries."""
