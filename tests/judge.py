"""Does what is sent keep a policy? Judged by the policy's words alone, apart from the code that enforces them.

``escapes(request, policy, max_cost)`` names the demands that are not met. What a body may reach is worked out over a
handful of concrete models: a router reaches all that its plugin lets it choose, an alias every model of its family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

KNOWN_MODELS = (
    "anthropic/claude-haiku-4.5",
    "anthropic/claude-opus-4.1",
    "deepseek/deepseek-r1",
    "google/gemma-3",
    "google/gemma-3:free",
    "openai/gpt-5",
    "openai/gpt-5-mini",
    "openai/gpt-5-mini:free",
)
TIERS = ("flex", "priority", "scale", "ultrafast")
FORMATS = {"fp8": {"fp8", "mxfp8"}, "fp4": {"fp4", "mxfp4", "nvfp4"}}
SEARCHES = ("openrouter:web_search", "web_search", "web_search_preview")

Body = Mapping[str, Any]


def escapes(request: Any, policy: Body, max_cost: Decimal | None) -> list[str]:
    """Name the demands of a policy that a request does not meet."""
    body: Body = request.body
    found = [key for key, kept in _JUDGES.items() if key in policy and not kept(body, policy[key])]
    if "max_cost" in policy and (max_cost is None or max_cost > Decimal(policy["max_cost"])):
        found.append("max_cost")
    regions = policy.get("regions")
    if regions and not any(f"//{region}." in request.base_url for region in regions):
        found.append("regions")
    for key in policy.get("require", ()):
        there = "//openrouter." not in request.base_url if key == "region" else bool(body.get(key))
        if not there:
            found.append(f"require {key}")
    if "preset" in body or any("@preset/" in model for model in (*_called(body), *_inner(body))):
        found.append("hosted")
    return found


def _called(body: Body) -> list[str]:
    return [*([body["model"]] if "model" in body else []), *body.get("models", [])]


def _inner(body: Body) -> list[str]:
    return [model for key in ("plugins", "tools") for model in _walk(body.get(key, []))]


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("model", "judge_model") and isinstance(item, str):
                yield item
            elif key == "analysis_models":
                yield from item
            elif key not in ("function", "allowed_models", "excluded_models"):
                yield from _walk(item)


def _running(body: Body) -> list[Body]:
    return [plugin for plugin in body.get("plugins", []) if plugin.get("enabled") is not False]


def _tools(body: Body) -> Iterator[Body]:
    waiting = [*body.get("tools", [])]
    for plugin in _running(body):
        waiting += plugin.get("tools", [])
    while waiting:
        tool = waiting.pop()
        yield tool
        waiting += tool.get("parameters", {}).get("tools", [])


def _reached(body: Body, model: str) -> Iterator[str]:
    """Yield the models that may answer where this one is named."""
    name, *variants = model.removeprefix("~").split(":")
    static = [variant for variant in variants if variant not in ("nitro", "floor", "exacto", "online")]
    if model.startswith("openrouter/auto"):
        settings: Body = next((plugin for plugin in _running(body) if plugin["id"] == "auto-router"), {})
        allowed, excluded = settings.get("allowed_models") or ["*"], settings.get("excluded_models") or []
        for known in KNOWN_MODELS:
            if _any(known, allowed) and not _any(known, excluded):
                yield known
    elif model.startswith("openrouter/fusion") and any(plugin["id"] == "fusion" for plugin in _running(body)):
        return  # the panel is named in the plugin
    elif model.startswith("openrouter/"):
        yield from KNOWN_MODELS
    elif model.startswith("~"):
        author, slug = name.split("/")
        words = set(slug.split("-")) - {"latest"}
        for known in KNOWN_MODELS:
            if (
                known.startswith(author + "/")
                and ":" not in known
                and words <= set(known.split("/")[1].split("-"))
            ):
                yield ":".join([known, *static])
    else:
        yield ":".join([name, *static])


def _any(text: str, globs: Any) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)


def _keeps_models(body: Body, said: Body) -> bool:
    if not _called(body):
        return False
    free = any(
        not settings.get(key)
        for settings, key in (
            *(
                (tool.get("parameters", {}), "model")
                for tool in _tools(body)
                if tool["type"] == "openrouter:advisor"
            ),
            *((plugin, "analysis_models") for plugin in _running(body) if plugin["id"] == "fusion"),
        )
    )
    named = [*_called(body), *_inner(body)]
    allow, deny = said.get("allow"), said.get("deny", [])
    for model in named:
        router = model.split(":")[0] if model.startswith("openrouter/") else None
        for reached in _reached(body, model):
            chosen = router is not None and allow is not None and _any(router, allow)
            if allow is not None and not chosen and not _any(reached, allow) and not _any(model, allow):
                return False
            if _any(reached, deny) or _any(model, deny):
                return False
        if router is not None and allow is not None and not _any(router, allow):
            return False
    return not free or (
        (not deny or all(glob.startswith("openrouter/") for glob in deny)) and (allow is None or "*" in allow)
    )


def _within(slug: str, base: str) -> bool:
    return slug == base or (slug.startswith(base + "/") and slug.rpartition("/")[2] not in TIERS)


def _keeps_providers(body: Body, said: Body) -> bool:
    provider = body.get("provider", {})
    only, order = provider.get("only") or None, provider.get("order", [])
    allow = said.get("allow")
    if allow is not None and (
        only is None or not all(any(_within(slug, base) for base in allow) for slug in [*only, *order])
    ):
        return False
    for base in said.get("deny", []):
        if any(
            slug.lower() == base or slug.lower().startswith(base + "/") for slug in [*(only or []), *order]
        ):
            return False
        ignore = provider.get("ignore", [])
        if only is None or any(_within(base, slug) for slug in only):
            if not any(_within(base, slug) for slug in ignore):
                return False
            if only is None and any(f"{base}/{tier}" not in ignore for tier in _admitted(body)):
                return False
    return True


def _admitted(body: Body) -> set[str]:
    """Name the service tiers whose endpoints are let in."""
    tiers = {body.get("service_tier")} & set(TIERS)
    if "fast" in (body.get("service_tier"), body.get("speed")) or any(
        ":nitro" in model for model in _called(body)
    ):
        tiers.add("priority")
    if any(":floor" in model for model in _called(body)):
        tiers.add("flex")
    return tiers


def _keeps_quantizations(body: Body, said: Body) -> bool:
    asked = _expand(body.get("provider", {}).get("quantizations", []))
    allowed = _expand(said["allow"]) if "allow" in said else asked
    return bool(asked) and asked <= allowed and not asked & _expand(said.get("deny", []))


def _expand(names: Any) -> set[str]:
    return {one for name in names for one in FORMATS.get(name, {name})}


def _keeps_prices(body: Body, said: Body) -> bool:
    ceilings = body.get("provider", {}).get("max_price", {})
    return all(key in ceilings and Decimal(ceilings[key]) <= Decimal(most) for key, most in said.items())


def _keeps_tokens(body: Body, said: int) -> bool:
    written = [body[key] for key in ("max_tokens", "max_completion_tokens") if key in body]
    return bool(written) and max(written) <= said


def _keeps_plugins(body: Body, said: Body) -> bool:
    names = [plugin["id"] for plugin in _running(body)]
    if any(":online" in model for model in (*_called(body), *_inner(body))):
        names.append("web")
    return all(_listed([name], said) for name in names)


def _keeps_tools(body: Body, said: Body) -> bool:
    offered = []
    for tool in _tools(body):
        name = f"function:{tool['function']['name']}" if "function" in tool else tool["type"]
        offered.append(SEARCHES if name in SEARCHES else (name,))
    panels = [tool.get("parameters", {}) for tool in _tools(body) if tool["type"] == "openrouter:fusion"]
    plugins = [plugin for plugin in _running(body) if plugin["id"] == "fusion"]
    default = any(model.startswith("openrouter/fusion") for model in _called(body)) and not plugins
    if default or any("tools" not in panel for panel in (*panels, *plugins)):
        offered += [SEARCHES, ("openrouter:web_fetch",)]
    return all(_listed(names, said) for names in offered)


def _listed(names: Any, said: Body) -> bool:
    """Hold the spellings of one thing against both lists."""
    allowed = "allow" not in said or any(_any(name, said["allow"]) for name in names)
    return allowed and not any(_any(name, said.get("deny", [])) for name in names)


_JUDGES: dict[str, Callable[[Body, Any], bool]] = {
    "zdr": lambda body, said: not said or body.get("provider", {}).get("zdr") is True,
    "data_collection": lambda body, said: (
        said == "allow" or body.get("provider", {}).get("data_collection") == "deny"
    ),
    "require_parameters": lambda body, said: (
        not said or body.get("provider", {}).get("require_parameters") is True
    ),
    "allow_fallbacks": lambda body, said: said or body.get("provider", {}).get("allow_fallbacks") is False,
    "models": _keeps_models,
    "providers": _keeps_providers,
    "quantizations": _keeps_quantizations,
    "max_price": _keeps_prices,
    "max_tokens": _keeps_tokens,
    "plugins": _keeps_plugins,
    "tools": _keeps_tools,
}
