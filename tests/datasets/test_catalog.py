import importlib.metadata
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from triptych_datasets import Artifact, Catalog, CatalogError, UnknownName, default_catalog
from triptych_datasets.catalog import ENTRY_POINT_GROUP


def toy(name: str) -> Artifact:
    return Artifact(name, sources=("file:///nowhere",), sha256="0" * 64)


OFFERED = (toy("offered/one.bin"), toy("offered/two.bin"))
NO_ARTIFACTS = ("just text",)


def offer() -> tuple[Artifact, ...]:
    return OFFERED


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Values of the entry points that the next default catalogue finds."""
    values: list[str] = []

    def found(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(f"e{i}", value, group) for i, value in enumerate(values)]

    monkeypatch.setattr(importlib.metadata, "entry_points", found)
    default_catalog.cache_clear()
    yield values
    default_catalog.cache_clear()


def test_get_and_names() -> None:
    catalog = Catalog([toy("mini/b"), toy("mini/a"), toy("res18")])
    assert catalog.get("res18") == toy("res18")
    assert catalog.names("mini*") == ["mini/a", "mini/b"]
    assert catalog.names() == ["mini/a", "mini/b", "res18"]
    assert catalog.names("none*") == []
    assert [item.name for item in catalog] == catalog.names()
    assert "res18" in catalog
    assert len(catalog) == 3


def test_unknown_name_answers_with_the_closest_three() -> None:
    catalog = Catalog(toy(name) for name in ("resnet18", "resnet34", "resnet50", "vgg11"))
    with pytest.raises(UnknownName) as caught:
        catalog.get("resnet19")
    text = str(caught.value)
    assert text.startswith("no artifact is called 'resnet19'; the closest names are resnet18, ")
    assert "vgg11" not in text
    with pytest.raises(KeyError, match="the catalogue is empty"):
        Catalog().get("x")


def test_double_registration() -> None:
    catalog = Catalog([toy("a")])
    assert catalog.register(toy("a")) == toy("a")  # the same again is no harm
    with pytest.raises(CatalogError, match="'a' is registered already with other content"):
        catalog.register(replace(toy("a"), size=7))
    assert catalog.get("a") == toy("a")


def test_only_artifacts_can_be_registered() -> None:
    with pytest.raises(CatalogError, match="wanted an Artifact, got str"):
        Catalog(["a"])  # type: ignore[list-item]


def test_default_catalogue_holds_what_packages_offer(entry_points: list[str]) -> None:
    module = "tests_catalog_offers"
    import sys
    from types import SimpleNamespace

    sys.modules[module] = SimpleNamespace(offer=offer, extra=[toy("extra")])  # type: ignore[assignment]
    entry_points += [f"{module}:offer", f"{module}:extra"]
    catalog = default_catalog()
    del sys.modules[module]
    assert {"chelsea.png", "offered/one.bin", "offered/two.bin", "extra"} <= set(catalog.names())
    assert default_catalog() is catalog


@pytest.mark.parametrize(
    ("value", "complaint"),
    [("no_such_package_here:x", "ModuleNotFoundError"), ("string:digits", "wanted an Artifact")],
)
def test_broken_package_warns_and_hides_nothing_else(
    entry_points: list[str], value: str, complaint: str
) -> None:
    entry_points.append(value)
    with pytest.warns(RuntimeWarning, match=f"{ENTRY_POINT_GROUP}.*{complaint}"):
        catalog = default_catalog()
    assert "chelsea.png" in catalog
