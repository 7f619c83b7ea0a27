"""The names of ImageNet's classes."""

from triptych_vision.models.categories import imagenet_categories


def test_thousand_names_in_order() -> None:
    names = imagenet_categories()
    assert len(names) == len(set(names)) == 1000
    assert all(name == name.strip() != "" for name in names)
    known = {0: "tench", 281: "tabby", 285: "Egyptian cat", 967: "espresso", 999: "toilet tissue"}
    assert {place: names[place] for place in known} == known
