"""Pages for operators and auditors: collector status, health, integrity, audit log."""
