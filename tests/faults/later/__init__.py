"""A later version of the database: an app whose migration changes the tables that workers write."""
