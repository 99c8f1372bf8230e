"""What a text means: from YAML to one canonical request body, with the author of every value.

.. code-block:: text

    places        source, diagnostics, rules, slugs
    text          scalars, secrets, syntax, nodes, walk, document
    shape         suggest, repairs, mistakes, validators, schema, inspect, suppress
    composition   trees, merge, overrides, layers
    files         files, settings, workspace, survey
    meaning       lint
    policy        globs, policy, narrowing, narrow_…, restrict, effective, guardrail
    body          model, lower, skins, compilation, explain
    passes        reports, compiler
    and back      writer, decompile

Each line may use those above it; a test holds the exact order.
"""
