"""How a change is reviewed: what a project comes to before and after, pinned, compared and tried.

.. code-block:: text

    where a project's files come from
        trees             what git prints of trees and blobs, and where a name leads
        revision_names    what is no name of a revision, and what was meant by one
        revision          the files of a project at a git revision
        git               repositories and their objects; nothing else starts a process
    what they come to
        effects           every preset in every environment, compiled and routed, as values
        lock              the same, pinned in one file
    what is asked of it
        changes, diff     what differs between two of them, and whose line did it
        drift             what a fresher catalogue does to it
        scenarios         what its tests expect of it

Both sides of a comparison are compiled completely: what is reviewed is the effect and not the text. Nothing is checked out
for it, and nothing is written into the repository.
"""
