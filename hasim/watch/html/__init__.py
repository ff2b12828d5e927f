"""The dashboard as a page: one file with its style and script, fed by this server's own data."""
