"""The folder of a run: what was asked, what each replication gave, how it ended.

::

    manifest.json                    versions, seed, start, end, state, counts
    scenario.yaml                    the scenario, resolved: it loads to the same cells
    cells.jsonl                      number, varied settings and key of the cells, one to a line
    replications/cell-KEY.jsonl      one line per replication, appended as it finishes
    journals/, messages/             only when asked for
    .lock                            held by the process that works in the folder

The key of a cell is made of what determines its replications (`hasim.study.planning.keys`), so
that what is there already is found again when a study is continued, or grows by
replications or cells. A replication is a line that is appended, and not a file that is
renamed, since there may be a million; a line that was torn by a kill or a full disk is
cut off before the next one. Each line has a checksum, and the manifest a digest of itself and of
the scenario: what has been changed since is refused, with its file and line. The manifest says
which program made it (`hasim.study.execution.program`), and no other adds to it. The keys of a
large study are found one by one: its cells.jsonl names those that were begun. Everything is JSON,
YAML or CSV; nothing is ever executed when a folder is read.
"""
