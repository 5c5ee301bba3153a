"""Thin views: access, one selector or service, one template."""
