"""A world or a journal as somebody sees it who watches: pictures, and who draws them."""
