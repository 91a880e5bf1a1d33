"""The REST API of people: pools, raters, accounts, invitations, onboarding and crowd links."""
