"""The forms that a sheet takes: terminal, Markdown, HTML for people; CSV and JSON for programs."""
