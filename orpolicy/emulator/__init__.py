"""A local OpenRouter made of a catalogue: for trying presets without a key, and for tests.

.. code-block:: text

    wire          OpenRouter's wire format
    instances     the smallest value that satisfies a schema
    faults        what goes wrong on request
    scripts       faults from a file
    wounds        what a fault makes of an answer
    refusals      errors in the documented shapes
    streams       answers, at once or in chunks
    serving       who serves, after which failures
    chat          a simulated completion with a real bill
    memory        what is remembered between two requests
    presets       presets on the server, their versions, and how they merge into a request
    respond       one pure function: request, world and memory in, answer out
    local         the same with a memory of its own
    transport     as an httpx transport
    server        as a server on a socket
    testing       as fixtures for pytest
"""
