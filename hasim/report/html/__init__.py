"""A finding as one HTML file: sections, sortable tables, figures, incidents taken apart."""
