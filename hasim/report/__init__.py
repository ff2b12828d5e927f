"""What people see: terminal tables, figures, Markdown, explanations."""
