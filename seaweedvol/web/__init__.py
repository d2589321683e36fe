"""HTTP: what a request means and what is sent back (pure modules), and the Twisted adapters that move the bytes."""
