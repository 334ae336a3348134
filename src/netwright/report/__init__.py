"""What people read: numbers, text tables, charts and one-file HTML pages; no third-party import."""
