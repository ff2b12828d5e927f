"""Pickers: plain functions over the columns of a fleet.

The service calls them with lists; a compiled data plane compiles the same functions
and calls them with arrays. So they use what compiled code has as well: numbers, loops,
`math`, and each other. Each answers with the index of a master whose weight is above
zero, or with -1 if there is none, and then leaves its memory as it was. Who has several
masters alike to choose from says what decides.
"""
