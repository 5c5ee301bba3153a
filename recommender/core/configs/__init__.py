"""The configuration of every system, one file for each family; never loads torch."""
