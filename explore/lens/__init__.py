"""What does a visual token say? Lenses: one method per file, one result type, and banks of text states."""
