"""What people read as text: numbers, tables, records; no third-party import."""
