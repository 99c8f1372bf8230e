"""How a change is reviewed: what a project comes to before and after, pinned, compared and tried.

.. code-block:: text

    trees            entries of a git tree, and where a name leads
    revision_names   what is no name of a revision, and what was meant by one
    revision         the files of a project at a git revision
    git              repositories and their objects; nothing else starts a process
    effects          what a project comes to, as values

Both sides of a comparison are compiled completely: what is reviewed is the effect and not the text. Nothing is checked out
for it, and nothing is written into the repository.
"""
