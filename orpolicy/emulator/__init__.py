"""A local OpenRouter made of a catalogue: for trying presets without a key, and for tests.

.. code-block:: text

    wire          OpenRouter's wire format
    instances     the smallest value that satisfies a schema
    faults        what goes wrong on request
    refusals      errors in the documented shapes
    streams       answers, at once or in chunks
    serving       who serves, after which failures
    chat          a simulated completion with a real bill
    respond       one pure function: request and world in, answer out
    transport     the same as an httpx transport
"""
