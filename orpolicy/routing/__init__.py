"""Who may serve a request, who may not and why, and what it can cost at most.

.. code-block:: text

    prices        what a unit costs, for how long a prompt, at what time of day
    offers        providers, models, endpoints
    rows          the same as lines of JSON
    catalog       all of them at one moment, with a digest
    snapshot      the catalogue as one committed file
    answers       the catalogue made of the API's own answers
    resolve       what a written name stands for
    constraints   what a body asks of an endpoint
    eligibility   eligible, excluded in OpenRouter's words, or unknown: one endpoint at a time
    order         in which order the eligible ones are tried
    availability  why nobody may serve it, and what to blame
    router        ``route``: body and catalogue → who may serve it
    tokens        how many tokens a prompt can have at most
    cost          what a call can cost at most
    ceiling       ``max_cost``, kept by us or by OpenRouter
    mentions      which models a preset names
    lint          rules that need the catalogue
    pull          a fresh snapshot over the network

Everything but ``pull`` is pure. Numbered facts in comments are rows of ``docs/routing.md``.
"""
