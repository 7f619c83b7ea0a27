"""Saving a module's tensors by name, and loading them again."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..autograd.hooks import Handle
from ..autograd.modes import no_grad
from ..errors import DTypeError, TriptychError
from ..ops.creation import as_tensor
from ..tensor import Tensor
from .hooks import Hook, attach
from .parameter import Parameter

__all__ = ["IncompatibleKeys", "StateDictError"]

_EXTRA = "_extra_state"
_LISTED = 20  # names printed per kind of problem before the rest is counted


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        pairs = ", ".join(f"{name}={value}" for name, value in self._asdict().items())
        return f"IncompatibleKeys({pairs})"

    def __str__(self) -> str:
        return repr(self)


class StateDictError(TriptychError, RuntimeError):
    """A state dict that does not fit the module; lists every key that is in the way."""


class Stateful:
    """The part of `Module` that writes and reads state dicts."""

    _version: int = 1  # of the layout; a subclass that changes its own keys raises it
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: list[Callable[..., Any]]
    _state_dict_pre_hooks: list[Callable[..., Any]]
    _load_state_dict_pre_hooks: list[Hook]
    _load_state_dict_post_hooks: list[Callable[..., Any]]

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """All parameters and persistent buffers by their full name.

        Args:
            destination: write into this ordered dict instead of a new one.
            prefix: put before each name.
            keep_vars: give the parameters themselves; default tensors that share their memory
                without history.

        Returns:
            An ordered dict of tensors; its ``_metadata`` holds the layout version of each module.
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local
        for hook in tuple(self._state_dict_pre_hooks):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in tuple(self._state_dict_hooks):
            changed = hook(self, destination, prefix, local)
            destination = destination if changed is None else changed
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in _own_tensors(self).items():
            if value is not None:
                destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + _EXTRA] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """Anything else to save under ``_extra_state``; a subclass that has some overrides this and
        `set_extra_state`.
        """
        raise NotImplementedError(f"{type(self).__name__}.get_extra_state is not defined")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise NotImplementedError(f"{type(self).__name__}.set_extra_state is not defined")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Take over the numbers of a state dict.

        Args:
            state_dict: tensors (or arrays) by full name.
            strict: raise when names are missing or unexpected; False loads what fits by name.
            assign: keep the given tensors themselves, with their dtype and device, instead of
                copying into the module's.

        Returns:
            (missing_keys, unexpected_keys).

        Raises:
            StateDictError: names are missing or unexpected, or shapes differ. It is raised after
                everything that fits has been loaded, and lists all that does not.
            DTypeError: state_dict is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise DTypeError(
                "load_state_dict: wanted a mapping of names to tensors, got "
                f"{type(state_dict).__name__}"
            )
        metadata = getattr(state_dict, "_metadata", None)
        found = IncompatibleKeys([], [])
        errors: list[str] = []
        _load(self, OrderedDict(state_dict), "", metadata, found, errors, assign)
        if errors or (strict and (found.missing_keys or found.unexpected_keys)):
            raise StateDictError(_explain(self, state_dict, found, errors, strict))
        return found

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load the tensors of this module alone, not of its children; subclasses override it to
        accept older layouts. Problems are appended to the three lists.
        """
        for hook in tuple(self._load_state_dict_pre_hooks):
            args = (
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
            hook.call(self, *args) if hook.with_kwargs else hook.call(*args)
        own = _own_tensors(self)
        for name, value in own.items():
            if value is None:
                continue
            if prefix + name in state_dict:
                _load_tensor(self, name, value, prefix, state_dict, local_metadata, error_msgs)
            elif strict:
                missing_keys.append(prefix + name)
        _load_extra_state(self, state_dict, prefix, strict, missing_keys, unexpected_keys)
        if strict:
            held = {n for n, v in own.items() if v is not None} | self._modules.keys()
            for key in state_dict:
                head, _, rest = key[len(prefix) :].partition(".")
                known = head in self._modules if rest else head in held - self._modules.keys()
                if key.startswith(prefix) and not known and key != prefix + _EXTRA:
                    unexpected_keys.append(key)

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> Handle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` collects."""
        return attach(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after `state_dict` has
        collected; it may change the dict in place.
        """
        return attach(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> Handle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)`` before this module loads; it may rename keys in place.
        """
        return attach(self._load_state_dict_pre_hooks, Hook(hook, with_kwargs=True))

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> Handle:
        """Call ``hook(module, incompatible_keys)`` after this module and its children have loaded;
        it may change the two lists in place.
        """
        return attach(self._load_state_dict_post_hooks, hook)

    _register_state_dict_hook = register_state_dict_post_hook

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> Handle:
        return attach(self._load_state_dict_pre_hooks, Hook(hook, with_kwargs=with_module))


def _own_tensors(module: Any) -> dict[str, Any]:
    hidden = module._non_persistent_buffers_set
    kept = {name: b for name, b in module._buffers.items() if name not in hidden}
    return {**module._parameters, **kept}


def _load_tensor(
    module: Any,
    name: str,
    value: Tensor,
    prefix: str,
    state_dict: Any,
    local_metadata: dict[str, Any],
    error_msgs: list[str],
) -> None:
    given = state_dict[prefix + name]
    if not isinstance(given, Tensor):
        if not hasattr(given, "__array__"):
            came = type(given).__name__
            error_msgs.append(f"{prefix + name}: wanted a tensor or an array, got {came}")
            return
        given = as_tensor(given)
    if value.ndim == 0 and tuple(given.shape) == (1,):  # torch before 0.4 had no 0-d tensors
        given = given.reshape(())
    if given.shape != value.shape:
        error_msgs.append(
            f"size mismatch for {prefix + name} (in {_described(module, prefix)}): "
            f"wanted {tuple(value.shape)}, got {tuple(given.shape)}"
        )
        return
    if local_metadata.get("assign_to_params_buffers", False):
        _assign(module, name, value, given)
        return
    with no_grad():
        value.copy_(given.detach())


def _assign(module: Any, name: str, value: Tensor, given: Tensor) -> None:
    if not isinstance(value, Parameter):
        module._buffers[name] = given
    elif isinstance(given, Parameter):
        module._parameters[name] = given
    else:
        module._parameters[name] = Parameter(given, requires_grad=value.requires_grad)


def _load_extra_state(
    module: Any,
    state_dict: Any,
    prefix: str,
    strict: bool,
    missing: list[str],
    unexpected: list[str],
) -> None:
    key = prefix + _EXTRA
    if type(module).set_extra_state is not Stateful.set_extra_state:
        if key in state_dict:
            module.set_extra_state(state_dict[key])
        elif strict:
            missing.append(key)
    elif strict and key in state_dict:
        unexpected.append(key)


def _load(
    module: Any,
    state_dict: dict[str, Any],
    prefix: str,
    metadata: Any,
    found: IncompatibleKeys,
    errors: list[str],
    assign: bool,
) -> None:
    local = {} if metadata is None else dict(metadata.get(prefix[:-1], {}))
    if assign:
        local["assign_to_params_buffers"] = True
    module._load_from_state_dict(state_dict, prefix, local, True, *found, errors)
    for name, child in module._modules.items():
        if child is not None:
            start = f"{prefix}{name}."
            part = {k: v for k, v in state_dict.items() if k.startswith(start)}
            _load(child, part, start, metadata, found, errors, assign)
    for hook in tuple(module._load_state_dict_post_hooks):
        hook(module, found)


def _described(module: Any, prefix: str) -> str:
    kind = type(module).__name__
    return f"{prefix[:-1]}, {kind}" if prefix else kind


def _explain(
    module: Any,
    state_dict: Mapping[str, Any],
    found: IncompatibleKeys,
    errors: list[str],
    strict: bool,
) -> str:
    """The one text for everything that does not fit."""
    lines = [f"Error(s) in loading state_dict for {type(module).__name__}:"]
    missing, unexpected = found if strict else ([], [])
    if missing:
        shapes = {k: v.shape for k, v in module.state_dict().items() if isinstance(v, Tensor)}
        names = [f'"{k}" {tuple(shapes[k])}' if k in shapes else f'"{k}"' for k in missing]
        lines.append(f"Missing key(s) in state_dict: {_listing(names)}.")
    if unexpected:
        names = [f'"{k}"{_shape_of(state_dict.get(k))}' for k in unexpected]
        lines.append(f"Unexpected key(s) in state_dict: {_listing(names)}.")
    lines += errors[:_LISTED]
    if len(errors) > _LISTED:
        lines.append(f"and {len(errors) - _LISTED} more that do not fit")
    lines += _hints(missing, unexpected)
    if strict and (missing or unexpected) and not errors:
        lines.append("Pass strict=False to load only what matches by name.")
    return "\n\t".join(lines)


def _listing(names: list[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _shape_of(value: Any) -> str:
    return f" {tuple(value.shape)}" if hasattr(value, "shape") else ""


def _hints(missing: list[str], unexpected: list[str]) -> list[str]:
    """What may have gone wrong: a prefix too many or too few, or names that are nearly right."""
    if not missing or not unexpected:
        return []
    extra = _added_prefix(missing, unexpected)
    if extra:
        return [
            f"The given names start with {extra!r}, the module's do not; try "
            f"load_state_dict({{k.removeprefix({extra!r}): v for k, v in state_dict.items()}})."
        ]
    lacking = _added_prefix(unexpected, missing)
    if lacking:
        return [
            f"The module's names start with {lacking!r}, the given ones do not; try "
            f"load_state_dict({{{lacking!r} + k: v for k, v in state_dict.items()}})."
        ]
    hints, left = [], unexpected[:1000]
    for name in missing[:_LISTED]:
        near = difflib.get_close_matches(name, left, n=1, cutoff=0.7)
        if near:
            left.remove(near[0])
            hints.append(f'For "{name}", did you mean the given "{near[0]}"?')
    return hints


def _added_prefix(short: list[str], long: list[str]) -> str | None:
    """The prefix that turns all of `short` into names in `long`, if there is one."""
    names = set(long)
    for name in long:
        if name.endswith("." + short[0]):
            prefix = name[: -len(short[0])]
            if all(prefix + s in names for s in short):
                return prefix
    return None
