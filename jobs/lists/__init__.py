"""A query string to rows: filters, sorting and keyset pages."""
