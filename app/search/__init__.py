"""Finding people: what was asked, what the index knows, who fits and why. No HTTP, no settings."""
