"""The configuration language: tokens, sections as data, the compiled configuration. Pure but for reading files."""
