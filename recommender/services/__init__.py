"""Every write to the tables of this app, by subject; each service is one transaction."""
