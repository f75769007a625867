"""What lies on a person's disk: encrypted keys, credentials, home, trust folder, bundle files."""
