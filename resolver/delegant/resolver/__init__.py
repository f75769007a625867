"""The door: DID resolution over the network, the HTTP API, the console."""
