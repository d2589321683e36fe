"""What the server counts and how it is told: values, their names, and Prometheus's text. Knows no reactor, no store."""
