"""Events for helpers: JSON in both layouts, and text. Pure."""
