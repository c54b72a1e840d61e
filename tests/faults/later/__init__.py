"""A later version of gesdash, as far as its database goes: an app whose migration changes the tables that workers write."""
