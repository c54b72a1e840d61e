"""GES's status endpoint, answered byte for byte from the store or asked live."""
