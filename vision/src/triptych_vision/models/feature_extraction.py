"""Features from inside a model, by name.

A name is the path of a layer, as in `named_modules()`: "layer1" gives what that stage gives,
"layer1.0.conv2" what that convolution gives. A layer that is called several times has the further
calls under "layer1.0.relu_1", "layer1.0.relu_2" and so on. Between the layers, what operators and
methods of tensors give has the name of the operation in the module that computes it: "flatten",
"layer1.0.add", "features.1.0.mul", counted likewise. What functions such as `triptych.cat` or
`relu` give has no name of its own; the layer around it has one.

A value that a later layer overwrites, as `ReLU(inplace=True)` does, is seen overwritten.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import UnknownNameError
from triptych.random import fork_rng

__all__ = ["FeatureExtractor", "create_feature_extractor", "get_graph_node_names"]

Names = Iterable[str] | Mapping[str, str]

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
EXAMPLE_SHAPE = (2, 3, 224, 224)
# operators by the names of their methods, which several share
OPERATORS = {
    f"__{prefix}{name}__": name
    for name in ("add", "sub", "mul", "truediv", "matmul", "pow", "floordiv", "mod")
    for prefix in ("", "r", "i")
} | {"__getitem__": "getitem", "__neg__": "neg"}


class _Enough(Exception):
    """No error: ends a pass through the model early, as everything asked for is there."""


class _Recorder:
    """Names what a model computes while it is active."""

    active: _Recorder | None = None

    def __init__(self, wanted: set[str], stop_after: int | None = None) -> None:
        self.wanted = wanted
        self.stop_after = stop_after
        self.names: list[str] = []
        self.values: dict[str, Any] = {}
        self.seen = 0  # how many values were offered so far
        self.last_needed = 0
        self._counts: dict[str, int] = {}
        self._path: list[str] = [""]
        self._inside = 0  # layers of nn, or operations, that are running: what they do has no names

    def enter(self, path: str, leaf: bool) -> None:
        """A module is called."""
        if leaf or self._inside:
            self._inside += 1
        else:
            self._path.append(path)

    def leave(self, path: str, out: Any) -> None:
        """A module has given its output."""
        if self._inside:
            self._inside -= 1
            if self._inside == 0:
                self._name(path, out)
            return
        self._path.pop()
        self._keep(path, out)

    def operation(self, name: str, run: Callable[[], Any]) -> Any:
        """An operator or a method of a tensor is called."""
        if self._inside:
            return run()
        self._inside += 1
        try:
            out = run()
        finally:
            self._inside -= 1
        if isinstance(out, tp.Tensor):
            self._name(f"{self._path[-1]}.{name}".removeprefix("."), out)
        return out

    def _name(self, name: str, out: Any) -> None:
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        numbered = f"{name}_{count}" if count else name
        self.names.append(numbered)
        _watch(out)
        self._keep(numbered, out)

    def _keep(self, name: str, out: Any) -> None:
        self.seen += 1
        if name in self.wanted:
            self.values[name] = out
            self.last_needed = self.seen
        if self.seen == self.stop_after:
            raise _Enough


class _Watched(tp.Tensor):
    """A tensor whose operators and methods tell the recorder what they give."""


def _watch(value: Any) -> None:
    if type(value) is tp.Tensor:
        value.__class__ = _Watched
    elif isinstance(value, tuple | list):
        for part in value:
            _watch(part)


def _unwatched(value: Any) -> Any:
    if isinstance(value, _Watched):
        value.__class__ = tp.Tensor  # type: ignore[assignment]
    elif isinstance(value, tuple | list):
        for part in value:
            _unwatched(part)
    return value


def _telling(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: tp.Tensor, *args: Any, **kwargs: Any) -> Any:
        recorder = _Recorder.active
        if recorder is None:
            return method(self, *args, **kwargs)
        return recorder.operation(name, lambda: method(self, *args, **kwargs))

    return call


for _name in [*OPERATORS, *(name for name in dir(tp.Tensor) if not name.startswith("_"))]:
    _method = getattr(tp.Tensor, _name, None)
    if inspect.isfunction(_method):
        setattr(_Watched, _name, _telling(OPERATORS.get(_name, _name), _method))


def _is_leaf(module: nn.Module) -> bool:
    """Layers of nn but containers, and those of this package's ops, are not looked into."""
    if isinstance(module, CONTAINERS) and type(module) in CONTAINERS:
        return False
    ours = __name__.partition(".")[0] + ".ops."
    return type(module).__module__.startswith("triptych.nn.") or any(
        kind.__module__.startswith(ours) for kind in type(module).__mro__
    )


@contextmanager
def _recording(model: nn.Module, recorder: _Recorder) -> Iterator[None]:
    with ExitStack() as stack:
        for path, module in model.named_modules():
            if path:
                leaf = _is_leaf(module)
                before = module.register_forward_pre_hook(
                    lambda _module, _args, path=path, leaf=leaf: recorder.enter(path, leaf)
                )
                after = module.register_forward_hook(
                    lambda _module, _args, out, path=path: recorder.leave(path, out)
                )
                stack.callback(before.remove)
                stack.callback(after.remove)
        outer, _Recorder.active = _Recorder.active, recorder
        stack.callback(setattr, _Recorder, "active", outer)
        yield


def get_graph_node_names(model: nn.Module, example: Any = None) -> tuple[list[str], list[str]]:
    """Names of what a model computes, in the order it does so.

    The model runs twice, on an example. Its buffers and random draws stay as they were.

    Args:
        model: any.
        example: its input, a tensor or a tuple of several; default two black images of 224 x 224
            pixels.

    Returns:
        The names in training mode and in evaluation mode, as `create_feature_extractor` takes
        them; it takes paths of the modules around them, too.

    Example:
        >>> from triptych_vision.models import resnet18
        >>> names = get_graph_node_names(resnet18(), tp.zeros(2, 3, 32, 32))[1]
        >>> names[:4], names[5:7], names[-2:]
        (['conv1', 'bn1', 'relu', 'maxpool'], ['layer1.0.bn1', 'layer1.0.relu'], ['flatten', 'fc'])
    """
    given = tp.zeros(*EXAMPLE_SHAPE) if example is None else example
    inputs = given if isinstance(given, tuple) else (given,)
    was_training = model.training
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    found = []
    try:
        for training in (True, False):
            recorder = _Recorder(set())
            model.train(training)
            with fork_rng(), tp.no_grad(), _recording(model, recorder):
                model(*inputs)
            found.append(recorder.names)
    finally:
        model.train(was_training)
        with tp.no_grad():
            for buffer, old in buffers:
                buffer.copy_(old)
    return found[0], found[1]


class FeatureExtractor(nn.Module):
    """A model that gives what it computes inside; see `create_feature_extractor`.

    It has the model's own layers under their names, not copies.

    Args:
        model: any.
        train_return_nodes: key of the output by name of what is computed, while training.
        eval_return_nodes: the same while not training.
    """

    def __init__(
        self,
        model: nn.Module,
        train_return_nodes: Mapping[str, str],
        eval_return_nodes: Mapping[str, str],
    ) -> None:
        super().__init__()
        self._model = (model,)  # in a tuple, so that it is no layer of this one
        for name, child in model.named_children():
            self.add_module(name, child)
        for name, parameter in model.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in model.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        self.return_nodes = {True: dict(train_return_nodes), False: dict(eval_return_nodes)}
        self._stops: dict[bool, int] = {}
        self.train(model.training)

    def train(self, mode: bool = True) -> FeatureExtractor:
        """Switch to training or evaluation, the model too."""
        self._model[0].train(mode)
        super().train(mode)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What the model computes on its inputs, by the chosen keys.

        Raises:
            UnknownNameError: the model computes nothing of a name that was asked for.
        """
        nodes = self.return_nodes[self.training]
        recorder = self._run(set(nodes), self._stops.get(self.training), args, kwargs)
        if not set(nodes) <= set(recorder.values):
            recorder = self._run(set(nodes), None, args, kwargs)
        missing = [name for name in nodes if name not in recorder.values]
        if missing:
            raise _unknown(self._model[0], missing[0], recorder.names)
        self._stops[self.training] = recorder.last_needed
        return {key: _unwatched(recorder.values[name]) for name, key in nodes.items()}

    def _run(self, wanted: set[str], stop_after: int | None, args: Any, kwargs: Any) -> _Recorder:
        recorder = _Recorder(wanted, stop_after)
        try:
            with _recording(self._model[0], recorder):
                _unwatched(self._model[0](*args, **kwargs))
        except _Enough:
            pass  # what comes after the last value that was asked for is not computed
        return recorder


def create_feature_extractor(
    model: nn.Module,
    return_nodes: Names | None = None,
    train_return_nodes: Names | None = None,
    eval_return_nodes: Names | None = None,
) -> FeatureExtractor:
    """A model that gives what another computes inside, by name.

    From the second call on, what comes after the last of them is not computed.

    Args:
        model: whose layers are used; they are shared.
        return_nodes: names, as this module's text and `get_graph_node_names` say; a mapping gives
            the key of each in the output, otherwise the keys are the names.
        train_return_nodes: other ones while training; give it with eval_return_nodes.
        eval_return_nodes: other ones while not training.

    Returns:
        Called with the model's inputs, a dict of outputs by key.

    Raises:
        ValueError: return_nodes is given with one of the others, or one of those alone.
        UnknownNameError: on the first call, when the model computes nothing of a name.

    Example:
        >>> from triptych_vision.models import resnet18
        >>> body = create_feature_extractor(resnet18(), {"layer1": "fine", "layer4": "coarse"})
        >>> {key: tuple(x.shape) for key, x in body.eval()(tp.zeros(1, 3, 64, 64)).items()}
        {'fine': (1, 64, 16, 16), 'coarse': (1, 512, 2, 2)}
    """
    both = (train_return_nodes, eval_return_nodes)
    if (return_nodes is None) == (train_return_nodes is None) or (both.count(None) == 1):
        raise ValueError(
            "create_feature_extractor: give return_nodes, or both train_return_nodes and "
            "eval_return_nodes"
        )
    train, evaluate = (_keys(return_nodes if names is None else names) for names in both)
    return FeatureExtractor(model, train, evaluate)


def _keys(names: Names | None) -> dict[str, str]:
    if isinstance(names, Mapping):
        return dict(names)
    return {name: name for name in names or ()}


def _unknown(model: nn.Module, name: str, names: list[str]) -> UnknownNameError:
    paths = [path for path, _ in model.named_modules() if path]
    close = get_close_matches(name, [*names, *paths], n=3, cutoff=0.0)
    return UnknownNameError(
        f"create_feature_extractor: {type(model).__name__} computes nothing called {name!r}; the "
        f"closest names are {', '.join(close)}; get_graph_node_names(model) lists them"
    )
