"""Charts, diagrams and one-file HTML pages; no third-party import."""
