"""What every page needs: rendering, live parts, language, time zone, forms that outlive a session."""
