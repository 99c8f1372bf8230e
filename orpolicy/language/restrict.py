"""Narrowing a composed preset by a policy.

``restrict(tree, policy)`` returns a tree in which every demand of the policy holds, or says where it cannot:

- where the preset says nothing, the policy's value is filled in, with the policy's line as its origin;
- where the preset says something wider that holds the demanded value (a provider whose region alone is allowed), it is
  narrowed, and what was there stays as shadowed;
- where the preset says something else, that is a contradiction, with both places, and nothing is compiled from it.

Laws: restricting twice is restricting once; a stronger policy never leaves more; the order and the number of files in
which statements stand do not matter; and nothing escapes: whatever comes out satisfies every statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from orpolicy.language.globs import contains, matches
from orpolicy.language.lint.slugs import PRESET_MARK, SORTING_VARIANTS, TIERS, covers, read_model
from orpolicy.language.merge import Branch, Layer, Leaf, Node, Removal, find_node, locate, put, to_data
from orpolicy.language.merge import Sequence as Listed
from orpolicy.language.policy import (
    PRICES,
    QUANTIZATIONS,
    SWITCHES,
    Bounds,
    Policy,
    Statement,
    find_bounds,
    select,
)

if TYPE_CHECKING:
    from orpolicy.language.source import Location, Path


@frozen
class Conflict:
    """A demand that a preset contradicts: the place in the preset, and the statements that forbid it."""

    code: str
    path: Path
    place: Location | None
    message: str
    statements: tuple[Statement, ...]
    hint: str | None = None


@frozen
class Restricted:
    """What came of narrowing: the tree, and the contradictions that keep it from being compiled."""

    tree: Branch
    conflicts: tuple[Conflict, ...]


def restrict(tree: Branch, policy: Policy) -> Restricted:
    """Narrow a settled tree by a policy."""
    if not policy:
        return Restricted(tree, ())
    work = _Work(tree, policy, find_bounds(policy))
    for narrow in _PASSES:
        narrow(work)
    return Restricted(work.tree, tuple(work.conflicts))


@define
class _Work:
    """A tree on its way through the passes."""

    tree: Branch
    policy: Policy
    bounds: Bounds
    conflicts: list[Conflict] = field(factory=list)

    def get(self, path: Path) -> Any:
        """Return the data at a path; ``None`` where nothing is said."""
        node, rest = find_node(self.tree, path)
        if rest or isinstance(node, Removal):
            return None
        return to_data(node)

    def named_models(self) -> list[tuple[Path, str]]:
        """List the models to try, in order, with their paths."""
        first: str | None = self.get(("model",))
        named: list[tuple[Path, str]] = [] if first is None else [(("model",), first)]
        named.extend((("models", index), name) for index, name in enumerate(self.get(("models",)) or ()))
        return named

    def fill(self, path: Path, value: Any, statement: Statement, place: Path | None = None) -> None:
        """Say something in the policy's name; whatever stood there is shadowed."""
        leaf = Leaf(value, statement.layer, statement.path if place is None else place)
        self.tree = put(self.tree, path, leaf)

    def fill_list(self, path: Path, items: Sequence[Node], statement: Statement) -> None:
        """Write a list whose items know their own authors."""
        self.tree = put(self.tree, path, Listed(tuple(items), statement.layer, statement.path))

    def item(self, path: Path) -> Node:
        """Return the node of a list's item."""
        node, _ = find_node(self.tree, path)
        return node

    def report(
        self,
        path: Path,
        message: str,
        statements: Sequence[Statement],
        hint: str | None = None,
        anchor: str = "value",
    ) -> None:
        """Keep a contradiction, at the place that the path has now: later passes may move what stands there."""
        place = locate(self.tree, path, key=anchor == "key")
        self.conflicts.append(Conflict("policy-conflict", path, place, message, tuple(statements), hint))


def _restrict_switches(work: _Work) -> None:
    for key, demanded in SWITCHES.items():
        statements = select(work.policy, key)
        if not statements:
            continue
        path = ("provider", key)
        said = work.get(path)
        if said is None:
            work.fill(path, demanded, statements[0])
        elif said != demanded:
            shown, wanted = _show(said), _show(demanded)
            hint = f"leave '{key}' out, or say {wanted}"
            work.report(path, f"'{key}' is {shown}, and a policy demands {wanted}", statements, hint)


def _restrict_ceilings(work: _Work) -> None:
    targets: list[tuple[str, Path, str]] = [
        (f"max_price.{key}", ("provider", "max_price", key), "USD per million tokens") for key in PRICES
    ]
    targets.append(("max_cost", ("max_cost",), "USD per request"))
    for name, path, unit in targets:
        statements = select(work.policy, name)
        if not statements:
            continue
        said, ceiling = work.get(path), statements[0].value
        if said is None:
            work.fill(path, ceiling, statements[0])
        elif Decimal(said) > ceiling:
            work.report(
                path, f"'{path[-1]}' is {said}, above the policy's {ceiling} {unit}", _below(statements, said)
            )


def _restrict_tokens(work: _Work) -> None:
    statements = select(work.policy, "max_tokens")
    if not statements:
        return
    ceiling = statements[0].value
    said = {
        key: value
        for key in ("max_tokens", "max_completion_tokens")
        if (value := work.get((key,))) is not None
    }
    for key, value in said.items():
        if value > ceiling:
            work.report(
                (key,), f"'{key}' is {value}, above the policy's {ceiling}", _below(statements, value)
            )
    if not said:
        work.fill(("max_tokens",), ceiling, statements[0])


def _restrict_models(work: _Work) -> None:
    """Hold every model that the preset names against the lists (model, fallbacks, and those of plugins and tools)."""
    if not (work.bounds.models_allow or work.bounds.models_deny):
        return
    named = work.named_models()
    for path, model in (*named, *_find_nested_models(work)):
        _judge_model(work, path, model)
    if not named:
        statements = (*select(work.policy, "models.allow"), *select(work.policy, "models.deny"))
        work.report((), "the preset names no model, so the account's default would serve, and a policy limits models",
                    statements, "name a model")  # fmt: skip


def _judge_model(work: _Work, path: Path, model: str) -> None:
    for statement in select(work.policy, "models.deny"):
        if any(matches(statement.value, name) for name in _spellings(model)):
            work.report(path, f"a policy forbids the model '{model}' ('{statement.value}')", [statement])
            return
    for statement in select(work.policy, "models.allow"):
        if not any(_allows(glob, model) for glob in statement.value):
            allowed = ", ".join(sorted(statement.value))
            work.report(path, f"the model '{model}' is not among the policy's ({allowed})", [statement])
            return


def _spellings(model: str) -> Iterator[str]:
    """Write a model in the ways that a deny list may name it: as is, without suffixes that only sort, as no alias."""
    name = model.partition(PRESET_MARK)[0]
    plain = _drop_dynamic(name)
    yield from (model, name, plain, plain.removeprefix("~"), plain.partition(":")[0].removeprefix("~"))


def _allows(glob: str, model: str) -> bool:
    """Tell whether an allow list's pattern covers a model, or every model that a pattern of the preset stands for.

    Suffixes that only sort (``:nitro``) do not make another model. An alias (``~author/…``) may turn into any model of
    its author, so that only a pattern for the whole author covers it.
    """
    name = model.partition(PRESET_MARK)[0]
    if contains(glob, name) or contains(glob, _drop_dynamic(name)):
        return True
    return name.startswith("~") and contains(glob, name[1:].partition("/")[0] + "/*")


def _drop_dynamic(name: str) -> str:
    base, *variants = name.split(":")
    return ":".join(
        [base, *(variant for variant in variants if variant not in (*SORTING_VARIANTS, "online"))]
    )


def _find_nested_models(work: _Work) -> Iterator[tuple[Path, str]]:
    for key in ("plugins", "tools"):
        yield from _walk_models(work.get((key,)) or [], (key,))


_MODEL_KEYS = ("model", "models", "analysis_models", "allowed_models", "judge_model")


def _walk_models(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Find the models that plugins and server tools are told to call; a function's own parameters are none."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk_models(item, (*path, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in _MODEL_KEYS:
                yield from ((place, name) for place, name in _texts(item, (*path, key)))
            elif key != "function":
                yield from _walk_models(item, (*path, key))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        yield from (((*path, index), item) for index, item in enumerate(value) if isinstance(item, str))


def _restrict_hosted(work: _Work) -> None:
    """Refuse presets on OpenRouter's server: what they add is out of a policy's sight (fact 85)."""
    statements = sorted(work.policy, key=lambda said: said.sort_key)[:1]
    hint = "write its settings into this preset"
    message = "a preset on OpenRouter's server cannot be held to a policy"
    if work.get(("preset",)) is not None:
        work.report(("preset",), message, statements, hint, "key")
    for path, model in work.named_models():
        if PRESET_MARK in model:
            work.report(path, message, statements, hint)


def _restrict_providers(work: _Work) -> None:
    allowed, denied = work.bounds.providers_allow, work.bounds.providers_deny
    if allowed is not None:
        _narrow_slugs(work, "only", allowed)
        _narrow_slugs(work, "order", allowed)
        if work.get(("provider", "only")) is None:
            _fill_only(work, allowed)
    if denied:
        for key in ("only", "order"):
            _refuse_slugs(work, key)
        _fill_ignore(work)


def _narrow_slugs(work: _Work, key: str, allowed: frozenset[str]) -> None:
    """Narrow each entry to what is allowed of it; an entry of which nothing is allowed is a contradiction."""
    path = ("provider", key)
    statements = select(work.policy, "providers.allow")
    narrowed: list[Node] = []
    for index, slug in enumerate(work.get(path) or ()):
        if any(covers(broad, slug) for broad in allowed):
            narrowed.append(work.item((*path, index)))
            continue
        inside = sorted(narrow for narrow in allowed if covers(slug, narrow))
        if not inside:
            shown = ", ".join(sorted(allowed))
            forbidding = [said for said in statements if not any(covers(broad, slug) for broad in said.value)]
            message = f"the provider '{slug}' in '{key}' is not among the policy's ({shown})"
            work.report((*path, index), message, forbidding or statements)
        said = next((said for said in statements if set(inside) & said.value), statements[0])
        narrowed += [Leaf(name, said.layer, said.path, (work.item((*path, index)),)) for name in inside]
    if work.get(path) is not None and to_data(Listed(tuple(narrowed), Layer(""), ())) != work.get(path):
        work.fill_list(path, _once(narrowed), statements[0])


def _fill_only(work: _Work, allowed: frozenset[str]) -> None:
    statements = select(work.policy, "providers.allow")
    leaves: list[Node] = []
    for slug in sorted(allowed):
        said = next((said for said in statements if slug in said.value), statements[0])
        leaves.append(Leaf(slug, said.layer, _path_of_item(said, slug)))
    work.fill_list(("provider", "only"), leaves, statements[0])


def _refuse_slugs(work: _Work, key: str) -> None:
    path = ("provider", key)
    for index, slug in enumerate(work.get(path) or ()):
        for statement in select(work.policy, "providers.deny"):
            if covers(statement.value, slug) or _is_tier(statement.value, slug):
                message = f"a policy forbids the provider '{slug}' in '{key}' ('{statement.value}')"
                work.report((*path, index), message, [statement])
                break


def _is_tier(broad: str, slug: str) -> bool:
    """Tell whether a slug names a service tier of a provider: no base slug covers it, and a denial means it too."""
    return slug.startswith(broad + "/") and slug.rpartition("/")[2] in TIERS


def _fill_ignore(work: _Work) -> None:
    """Add denied providers to ``ignore``, unless ``only`` keeps them out already.

    A base slug does not cover service tiers (fact 22), so that these are named, where the preset admits any.
    """
    path = ("provider", "ignore")
    said = work.get(path) or []
    only = work.get(("provider", "only"))
    items: list[Node] = [work.item((*path, index)) for index in range(len(said))]
    tiers = _find_tiers(work)
    statements = {statement.value: statement for statement in reversed(select(work.policy, "providers.deny"))}
    for slug, statement in sorted(statements.items()):
        for name in (slug, *(f"{slug}/{tier}" for tier in tiers)):
            reachable = only is None or any(covers(kept, name) or covers(name, kept) for kept in only)
            if reachable and not any(covers(broad, name) for broad in said):
                items.append(Leaf(name, statement.layer, statement.path))
    if len(items) > len(said):
        work.fill_list(path, items, next(iter(statements.values())))


def _find_tiers(work: _Work) -> tuple[str, ...]:
    """Name the service tiers whose endpoints a preset lets in (facts 44, 45 and 59)."""
    tier = work.get(("service_tier",))
    names = [work.get(("model",)) or "", *(work.get(("models",)) or ())]
    variants = {
        variant for name in names if (model := read_model(name)) is not None for variant in model.variants
    }
    fast = tier in ("fast", "priority", "ultrafast") or "nitro" in variants or work.get(("speed",)) == "fast"
    flexible = tier == "flex" or "floor" in variants
    return (*(("flex",) if flexible else ()), *(("priority",) if fast else ()))


def _restrict_quantizations(work: _Work) -> None:
    allowed = work.bounds.quantizations
    if allowed is None:
        return
    path = ("provider", "quantizations")
    statements = (*select(work.policy, "quantizations.allow"), *select(work.policy, "quantizations.deny"))
    said = work.get(path)
    if said is None:
        leaves = [
            Leaf(value, statements[0].layer, statements[0].path)
            for value in QUANTIZATIONS
            if value in allowed
        ]
        work.fill_list(path, leaves, statements[0])
        return
    narrowed: list[Node] = []
    for index, value in enumerate(said):
        inside = [
            name for name in QUANTIZATIONS if name in allowed and QUANTIZATIONS[name] <= QUANTIZATIONS[value]
        ]
        if value in allowed:
            narrowed.append(work.item((*path, index)))
        elif inside:
            shadowed = (work.item((*path, index)),)
            narrowed += [Leaf(name, statements[0].layer, statements[0].path, shadowed) for name in inside]
        else:
            work.report((*path, index), f"a policy does not allow the quantisation '{value}'", statements)
    if to_data(Listed(tuple(narrowed), Layer(""), ())) != said:
        work.fill_list(path, _once(narrowed), statements[0])


def _restrict_regions(work: _Work) -> None:
    allowed = work.bounds.regions
    if allowed is None:
        return
    statements = select(work.policy, "regions")
    said = work.get(("region",))
    shown = " or ".join(sorted(allowed))
    if said is None and len(allowed) == 1:
        work.fill(("region",), next(iter(allowed)), statements[0])
    elif said is None:
        work.report(
            (), "the preset chooses no region, and a policy demands one", statements, f"say 'region: {shown}'"
        )
    elif said not in allowed:
        work.report(
            ("region",), f"the region '{said}' is not among the policy's ({shown or 'none'})", statements
        )


def _restrict_plugins(work: _Work) -> None:
    for path, plugin in _find_plugins(work):
        _judge(work, "plugins", path, plugin, f"the plugin '{plugin}'")


def _find_plugins(work: _Work) -> Iterator[tuple[Path, str]]:
    """Find the plugins that run: those listed and not switched off, and those that other settings stand for."""
    for index, plugin in enumerate(work.get(("plugins",)) or ()):
        if plugin.get("enabled") is not False:
            yield ("plugins", index, "id"), plugin["id"]
    if work.get(("transforms",)):
        yield ("transforms",), "context-compression"
    for path, name in work.named_models():
        model = read_model(name)
        if model is not None and "online" in model.variants:
            yield path, "web"


def _restrict_tools(work: _Work) -> None:
    for path, tool in _find_tools(work.get(("tools",)) or [], ("tools",)):
        _judge(work, "tools", path, tool, f"the tool '{tool}'")
    for path, tool in _find_plugin_tools(work):
        _judge(work, "tools", path, tool, f"the tool '{tool}'")


def _find_plugin_tools(work: _Work) -> Iterator[tuple[Path, str]]:
    for index, plugin in enumerate(work.get(("plugins",)) or ()):
        yield from _find_tools(plugin.get("tools", []), ("plugins", index, "tools"))


def _find_tools(tools: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Find tools by the names that policies use, those of advisors and subagents included."""
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        place = (*path, index)
        if tool.get("type") == "function":
            yield (*place, "function", "name"), f"function:{tool['function']['name']}"
        else:
            yield (*place, "type"), tool["type"]
            nested = tool.get("parameters", {})
            yield from _find_tools(nested.get("tools", []), (*place, "parameters", "tools"))


def _judge(work: _Work, key: str, path: Path, name: str, what: str) -> None:
    """Hold a name against the allow and deny lists of a field."""
    for statement in select(work.policy, f"{key}.deny"):
        if matches(statement.value, name):
            work.report(path, f"a policy forbids {what} ('{statement.value}')", [statement])
            return
    for statement in select(work.policy, f"{key}.allow"):
        if not any(matches(glob, name) for glob in statement.value):
            allowed = ", ".join(sorted(statement.value)) or "none"
            work.report(path, f"{what} is not among the policy's ({allowed})", [statement])
            return


def _require_keys(work: _Work) -> None:
    for statement in select(work.policy, "require"):
        if work.get((statement.value,)) is None:
            message = f"a policy requires '{statement.value}', and the preset does not set it"
            place = locate(work.tree, ())
            work.conflicts.append(
                Conflict("policy-require", (statement.value,), place, message, (statement,))
            )


def _path_of_item(statement: Statement, value: str) -> Path:
    """Return the place of a value in a statement's list, or the list's where it stands there in another form."""
    document = statement.layer.document
    data: Any = {} if document is None else document.data
    for part in statement.path:
        data = data.get(part, {}) if isinstance(data, Mapping) else {}
    return (
        (*statement.path, data.index(value)) if isinstance(data, list) and value in data else statement.path
    )


def _below(statements: Sequence[Statement], said: Any) -> list[Statement]:
    return [statement for statement in statements if Decimal(said) > statement.value]


def _once(nodes: Sequence[Node]) -> list[Node]:
    """Drop later nodes of the same data."""
    kept: dict[Any, Node] = {}
    for node in nodes:
        kept.setdefault(to_data(node), node)
    return list(kept.values())


def _show(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


_PASSES: tuple[Callable[[_Work], None], ...] = (
    _restrict_hosted,
    _restrict_models,
    _restrict_switches,
    _restrict_providers,
    _restrict_quantizations,
    _restrict_ceilings,
    _restrict_tokens,
    _restrict_plugins,
    _restrict_tools,
    _restrict_regions,
    _require_keys,
)
