"""The HTTP application: routes, the upgrade, headers, start and stop."""
