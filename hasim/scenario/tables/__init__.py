"""Tables as people have them: what a file is, how its table is written, what its columns hold.

`content` has the text of a file, or says why it has none; `dialect` how the table is written;
`table` the columns that are asked for; `numbers` and `times` turn them into arrays. Whatever is
wrong is a `TraceError` with the line, and never with what stands there: a file that is named by
mistake may be any file.
"""
