"""The command line: arguments in, findings and answers out, an exit code at the end.

.. code-block:: text

    snippet      a stretch of source as a terminal shows it
    render       every format of a report, as pure functions
    failures     every exception becomes one line and an exit code
    arguments    names that are known beforehand, and their completion
    targets      what an argument means: a name, a file, a folder, standard input
    output       where a report goes, in which colour
    check …      one module a verb, imported when the verb is called
    verbs, main  the group and the entry point
"""
