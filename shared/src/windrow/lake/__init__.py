"""Tables: their schemas (`schema`), the port services use them through (`tables`), and Delta behind it (`delta`)."""
