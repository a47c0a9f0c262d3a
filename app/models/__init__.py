"""What a space remembers: tables with their verbs. No HTTP, no settings, no federation."""
