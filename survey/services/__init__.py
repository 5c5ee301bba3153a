"""Every write of a study, by subject; keyword arguments only, one transaction each."""
